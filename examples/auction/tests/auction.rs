//! The auction through its whole router, without a network: who may, and what everybody sees.

use auction::{Auction, Store};
use axum::Router;
use bellwire::Bellwire;
use bellwire::testing::{Browser, Connection};
use serde_json::json;

const ORIGIN: &str = "http://127.0.0.1:9005";

struct Site {
    bellwire: Bellwire,
    router: Router,
}

impl Site {
    async fn open() -> Self {
        let bellwire = Bellwire::builder(ORIGIN).build().unwrap();
        let store = Store::open(None).await.unwrap();
        let router = Auction::new(bellwire.clone(), store).router();
        Self { bellwire, router }
    }

    fn stranger(&self) -> Browser {
        Browser::new(self.router.clone(), ORIGIN)
    }

    async fn person(&self, name: &str) -> Browser {
        let mut browser = self.stranger();
        assert_eq!(browser.submit("/sign-in", &[("name", name)]).await.status, 200);
        browser
    }
}

async fn watch(browser: &Browser) -> Connection {
    browser.connect("/live/1/?dialect=htmx&hello=1").await.expect("everybody may watch")
}

async fn bid(connection: &mut Connection, amount: &str, id: &str) {
    connection.send("Bid", &json!({ "amount": amount, "client_id": id })).await;
}

fn answer(id: &str) -> String {
    format!("data-bw-answer=\"{id}\"")
}

#[tokio::test]
async fn everybody_may_watch_and_only_people_may_bid() {
    let site = Site::open().await;
    let (mut stranger, ada) = (watch(&site.stranger()).await, site.person("Ada").await);
    bid(&mut stranger, "10", "c-0").await;
    stranger.receive_containing("Please sign in to bid.").await;
    let mut ada = watch(&ada).await;
    bid(&mut ada, "10", "c-1").await;
    ada.receive_containing(&answer("c-1")).await;
    let seen = stranger.receive_containing("bid--1").await;
    assert!(seen.contains("Ada") && seen.contains("10"), "{seen}");
}

#[tokio::test]
async fn a_page_of_another_site_may_not_open_a_connection() {
    let site = Site::open().await;
    for origin in ["https://evil.example", "http://127.0.0.1:9006", "null"] {
        let foreign = Browser::new(site.router.clone(), origin);
        assert_eq!(foreign.connect("/live/1/").await.unwrap_err().status, 403, "{origin}");
    }
    assert_eq!(site.bellwire.layer().local_sockets(), 0);
}

#[tokio::test]
async fn there_is_no_connection_to_a_lot_that_does_not_exist() {
    let site = Site::open().await;
    let refused = site.stranger().connect("/live/99/").await.unwrap_err();
    assert_eq!((refused.status.as_u16(), refused.text.as_str()), (404, "There is no such lot.\n"));
}

#[tokio::test]
async fn a_page_names_its_person_and_the_connection_names_the_same() {
    let site = Site::open().await;
    let mut ada = site.person("Ada").await;
    let page = ada.get("/lots/1/").await;
    assert!(page.text.contains("<meta name=\"bellwire-person\" content=\"person.1\">"));
    let hello = watch(&ada).await.receive().await;
    assert!(hello.contains("data-bw-person=\"person.1\""), "{hello}");
    let mut stranger = site.stranger();
    assert!(!stranger.get("/lots/1/").await.text.contains("bellwire-person"));
}

#[tokio::test]
async fn a_bid_that_is_sent_again_is_one_bid() {
    let site = Site::open().await;
    let ada = site.person("Ada").await;
    for _ in 0..2 {
        let mut page = watch(&ada).await;
        bid(&mut page, "10", "c-1").await;
        page.receive_containing(&answer("c-1")).await;
    }
    let mut ada = ada;
    assert_eq!(ada.get("/lots/1/").await.text.matches("id=\"bid--").count(), 1);
}

#[tokio::test]
async fn a_refused_bid_is_answered_at_its_field_over_the_socket_and_by_form_alike() {
    let site = Site::open().await;
    let mut ada = site.person("Ada").await;
    let mut page = watch(&ada).await;
    bid(&mut page, "none", "c-1").await;
    let refused = page.receive_containing("data-error=\"amount\"").await;
    assert!(refused.contains("Bid a whole number of pounds."), "{refused}");
    let by_form = ada.post_by_script("/lots/1/bid", Some("person.1"), &[("amount", "none")]).await;
    assert_eq!(by_form.status, 422);
    assert_eq!(by_form.header("bellwire-answer"), Some("refused"));
    assert_eq!(by_form.header("bellwire-field"), Some("amount"));
    assert_eq!(by_form.text, "Bid a whole number of pounds.\n");
}

#[tokio::test]
async fn a_bid_is_never_taken_in_another_persons_name() {
    let site = Site::open().await;
    let mut ben = site.person("Ben").await;
    let ada_wrote = [("amount", "10"), ("client_id", "c-1")];
    let refused = ben.post_by_script("/lots/1/bid", Some("person.9"), &ada_wrote).await;
    assert_eq!((refused.status.as_u16(), refused.header("bellwire-answer")), (401, None));
    let signed_out = site.stranger().post_by_script("/lots/1/bid", None, &ada_wrote).await;
    assert_eq!((signed_out.status.as_u16(), signed_out.header("bellwire-answer")), (401, None));
    let taken = ben.post_by_script("/lots/1/bid", Some("person.1"), &ada_wrote).await;
    assert_eq!((taken.status.as_u16(), taken.header("bellwire-answer")), (204, Some("ok")));
    let by_browser = ben.submit("/lots/1/bid", &[("amount", "11")]).await;
    assert_eq!((by_browser.status.as_u16(), by_browser.url.as_str()), (200, "/lots/1/"));
}

#[tokio::test]
async fn who_is_outbid_is_told_and_nobody_else() {
    let site = Site::open().await;
    let (ada, ben) = (site.person("Ada").await, site.person("Ben").await);
    let (mut ada, mut ben) = (watch(&ada).await, watch(&ben).await);
    bid(&mut ada, "10", "c-1").await;
    ben.receive_containing("bid--1").await;
    bid(&mut ben, "12", "c-2").await;
    let told = ada.receive_containing("data-bw-event=\"auction:outbid\"").await;
    assert!(told.contains("Ben"), "{told}");
    // A later frame arrives at Ben without the event before it.
    bid(&mut ada, "14", "c-3").await;
    loop {
        let frame = ben.receive().await;
        if frame.contains("bid--3") {
            break;
        }
        assert!(!frame.contains("auction:outbid"), "{frame}");
    }
    ben.receive_containing("data-bw-event=\"auction:outbid\"").await;
}

#[tokio::test]
async fn who_checks_an_amount_is_seen_by_the_others_and_by_those_who_come_later() {
    let site = Site::open().await;
    let (ada, ben) = (site.person("Ada").await, site.person("Ben").await);
    let (mut ada, mut early) = (watch(&ada).await, watch(&ben).await);
    ada.send("Check", &json!({ "amount": "0" })).await;
    ada.receive_containing("Bid at least 1.").await;
    early.receive_containing("Ada is about to bid").await;
    let mut late = watch(&ben).await;
    late.receive_containing("Ada is about to bid").await;
}

#[tokio::test]
async fn a_stream_receives_the_same_and_a_page_that_was_away_receives_what_it_missed() {
    let site = Site::open().await;
    let mut ada = site.person("Ada").await;
    let page = ada.get("/lots/1/").await.text;
    let position = page.split("data-seq=\"").nth(1).unwrap().split('"').next().unwrap();
    for amount in ["10", "11"] {
        ada.submit("/lots/1/bid", &[("amount", amount)]).await;
    }
    let url = format!("/live/1/?dialect=htmx&since=auction.lot.1:{position}");
    let missed = site.stranger().stream(&url).await.unwrap().receive().await;
    assert!(missed.contains("bid--1") && missed.contains("bid--2"), "{missed}");
    let mut stream = site.stranger().stream(&url).await.unwrap();
    stream.receive().await;
    ada.submit("/lots/1/bid", &[("amount", "12")]).await;
    assert!(stream.receive_containing("bid--").await.contains("bid--3"));
}

#[tokio::test]
async fn signing_out_closes_the_connections_of_this_session_only() {
    let site = Site::open().await;
    let (mut phone, laptop) = (site.person("Ada").await, site.person("Ada").await);
    let (on_phone, mut on_laptop) = (watch(&phone).await, watch(&laptop).await);
    phone.submit("/sign-out", &[]).await;
    assert_eq!(on_phone.closed().await.reason(), "You are signed out.");
    bid(&mut on_laptop, "10", "c-1").await;
    on_laptop.receive_containing(&answer("c-1")).await;
}
