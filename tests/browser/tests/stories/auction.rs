//! A plain axum app with Bellwire: an auction with its own cookies, sqlx and maud. What went wrong
//! for others who built one must not go wrong here.

use std::net::SocketAddr;

use auction::{Auction, Store};
use bellwire::Bellwire;
use bellwire_browser_tests::{Browsers, NetworkError, Person};
use serde_json::json;
use tokio::net::TcpListener;

/// An auction that is served by this story.
struct Served {
    address: SocketAddr,
    browsers: Browsers,
}

impl Served {
    async fn open() -> Self {
        Self::open_at(|address| format!("http://{address}")).await
    }

    /// Opens an auction that believes to be at another address.
    async fn open_at(public_url: impl FnOnce(SocketAddr) -> String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let bellwire = Bellwire::builder(public_url(address)).build().unwrap();
        let store = Store::open(None).await.unwrap();
        let router = Auction::new(bellwire.clone(), store).router();
        let server = bellwire::serve(listener, router, &bellwire);
        tokio::spawn(server.until(std::future::pending()));
        Self { address, browsers: Browsers::at(address).await }
    }
}

async fn signs_in(person: &Person, name: &str) {
    person.visit("/sign-in").await;
    person.types("input[name=name]", name).await;
    person.presses("form[action='/sign-in'] button").await;
    person.find("form[action='/sign-out']").await;
}

async fn signs_out(person: &Person) {
    person.presses("form[action='/sign-out'] button").await;
    let is_signed_out = "return document.readyState === 'complete'
        && !!document.querySelector('header a[href=\"/sign-in\"]')";
    person.until("was signed out", is_signed_out, &[]).await;
}

async fn opens_the_lot(person: &Person) {
    person.visit("/lots/1/").await;
    person.is_connected().await;
}

async fn bids(person: &Person, amount: &str) {
    person.types("#amount", amount).await;
    person.presses("#bid button").await;
}

/// Waits until these are the bids on the page, the newest first.
async fn sees_bids(person: &Person, expected: &[(&str, &str)]) {
    let script = "const rows = [...document.querySelectorAll('#bids li')].reverse()
        .map((row) => [row.querySelector('span').textContent, row.querySelector('b').textContent])
        return JSON.stringify(rows) === JSON.stringify(arguments[0])";
    person.until(&format!("saw the bids {expected:?}"), script, &[json!(expected)]).await;
}

/// The actions that wait in this tab's storage.
async fn waiting(person: &Person) -> u64 {
    let script = "return Object.entries(sessionStorage)
        .filter(([key]) => /^bellwire(-unowned)?:.*live/.test(key) && !key.includes('draft'))
        .flatMap(([, value]) => JSON.parse(value)?.items ?? JSON.parse(value)).length";
    person.run_script(script, &[]).await.as_u64().unwrap_or_default()
}

#[tokio::test]
async fn everybody_sees_the_same_bids_and_who_is_outbid_is_told() {
    let auction = Served::open().await;
    let (ada, ben) = (auction.browsers.person("Ada").await, auction.browsers.person("Ben").await);
    for (person, name) in [(&ada, "Ada"), (&ben, "Ben")] {
        signs_in(person, name).await;
        opens_the_lot(person).await;
    }
    ada.reads("#watchers", "Watching: Ada, Ben").await;
    bids(&ada, "10").await;
    sees_bids(&ben, &[("Ada", "10")]).await;
    bids(&ben, "12").await;
    ada.reads("#notice", "Ben has outbid you: 12").await;
    sees_bids(&ada, &[("Ben", "12"), ("Ada", "10")]).await;
    assert_eq!(ben.text_of("#notice").await, "", "only who is outbid is told");
}

#[tokio::test]
async fn an_amount_is_checked_while_it_is_typed_and_the_others_see_that_somebody_thinks() {
    let auction = Served::open().await;
    let (ada, ben) = (auction.browsers.person("Ada").await, auction.browsers.person("Ben").await);
    for (person, name) in [(&ada, "Ada"), (&ben, "Ben")] {
        signs_in(person, name).await;
        opens_the_lot(person).await;
    }
    bids(&ben, "10").await;
    sees_bids(&ada, &[("Ben", "10")]).await;
    ada.types("#amount", "9").await;
    ada.reads("#error--amount", "Bid at least 11.").await;
    ben.reads("[data-bw-state]", "Ada is about to bid …").await;
    ada.types_keys("#amount", "9").await; // 99
    ada.reads("#error--amount", "").await;
    ben.reads("[data-bw-state]", "").await; // a few seconds later
    sees_bids(&ben, &[("Ben", "10")]).await;
}

#[tokio::test]
async fn a_bid_that_waits_is_never_sent_in_another_persons_name() {
    let auction = Served::open().await;
    let (ada, wire) = auction.browsers.person_with_proxy("Ada").await;
    ada.expects(NetworkError::Unreachable);
    signs_in(&ada, "Ada").await;
    opens_the_lot(&ada).await;
    wire.cut();
    bids(&ada, "10").await;
    assert_eq!(waiting(&ada).await, 1);
    wire.restore();
    // Before the page is back, Ada leaves, and Ben sits down at the same computer.
    ada.visit("/").await;
    signs_out(&ada).await;
    signs_in(&ada, "Ben").await;
    opens_the_lot(&ada).await;
    bids(&ada, "20").await;
    let shown = ada.until(
        "saw a bid of Ben",
        "const all = [...document.querySelectorAll('#bids li')].map((row) => row.textContent)
         return all.includes('Ben20') && all",
        &[],
    );
    let shown = shown.await;
    assert!(!shown.to_string().contains("Ben10"), "{shown}");
}

#[tokio::test]
async fn a_bid_that_waits_is_sent_once_after_the_same_person_returns() {
    let auction = Served::open().await;
    let (ada, wire) = auction.browsers.person_with_proxy("Ada").await;
    ada.expects(NetworkError::Unreachable);
    signs_in(&ada, "Ada").await;
    opens_the_lot(&ada).await;
    wire.cut();
    bids(&ada, "10").await;
    wire.restore();
    sees_bids(&ada, &[("Ada", "10")]).await;
    for _ in 0..3 {
        ada.reloads().await;
        ada.is_connected().await;
        sees_bids(&ada, &[("Ada", "10")]).await;
        assert_eq!(waiting(&ada).await, 0, "an answered bid is not sent again at a load");
    }
}

#[tokio::test]
async fn over_a_stream_bids_go_by_form_and_what_is_typed_after_the_session_ended_is_kept() {
    let auction = Served::open().await;
    let (ada, _wire) = auction.browsers.person_without_websockets("Ada").await;
    ada.expects(NetworkError::Status(403));
    signs_in(&ada, "Ada").await;
    opens_the_lot(&ada).await;
    bids(&ada, "10").await;
    sees_bids(&ada, &[("Ada", "10")]).await;
    // Signed out in another tab of this browser.
    let ended =
        "return fetch('/sign-out', { method: 'POST', redirect: 'manual' }).then(() => true)";
    ada.run_script(ended, &[]).await;
    ada.is_offline().await;
    bids(&ada, "11").await;
    ada.until("left the page", "return !document.querySelector('#bid')", &[]).await;
    assert_eq!(waiting(&ada).await, 1, "the bid is kept");
    signs_in(&ada, "Ada").await;
    opens_the_lot(&ada).await;
    sees_bids(&ada, &[("Ada", "11"), ("Ada", "10")]).await;
    assert_eq!(waiting(&ada).await, 0);
}

#[tokio::test]
async fn a_page_whose_origin_is_refused_says_so_and_goes_on_by_stream() {
    let auction = Served::open_at(|_| "https://auction.example".to_owned()).await;
    let ada = auction.browsers.person("Ada").await;
    ada.expects(NetworkError::Status(403));
    ada.expects(NetworkError::Unreachable);
    ada.visit("/lots/1/").await;
    ada.is_connected().await;
    let transport = "return document.documentElement.dataset.bellwireTransport === 'stream'";
    ada.until("was on a stream", transport, &[]).await;
    let origin = format!("http://{}", auction.address);
    let mut told = Vec::new();
    while !told.iter().any(|line: &String| line.contains(&origin) && line.contains("origin(")) {
        told.extend(ada.console_messages().await);
    }
}

#[tokio::test]
async fn without_javascript_a_bid_is_an_ordinary_form() {
    let auction = Served::open().await;
    let ada = auction.browsers.person_without_javascript("Ada").await;
    ada.visit("/sign-in").await;
    ada.types("input[name=name]", "Ada").await;
    ada.presses("form[action='/sign-in'] button").await;
    ada.find("form[action='/sign-out']").await;
    ada.visit("/lots/1/").await;
    bids(&ada, "10").await;
    ada.find("#bids li").await;
    assert_eq!(ada.text_of("#bids li b").await, "10");
    assert_eq!(ada.path().await, "/lots/1/");
}
