//! Signing in over a socket: what is checked, and the ticket that begins the session by HTTP.

use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use bellwire::{Action, Consumer, Error, Socket};
use bellwire_site::SiteAccounts as _;
use bellwire_site::accounts::{Browser, LoginToken, NoTicket, SignInForm, SignUpForm};
use bellwire_site::{App, DbError, SignUp, SiteError, SiteState, Tx, Upgrade, User};
use bellwire_testkit::{
    Client, PASSWORD, TestDatabase, TestSite, Window, apply, on_databases, within,
};
use tokio::sync::oneshot;

/// An app whose socket signs in and up, and says what came of it in plain words.
fn door() -> App {
    fn routes(_: &SiteState) -> Router<SiteState> {
        Router::new()
            .route("/ws/door/", get(socket))
            .route("/me/", get(async |user: User| user.name))
    }
    App::new("door").routes(routes)
}

async fn socket(State(site): State<SiteState>, browser: Browser, upgrade: Upgrade) -> Response {
    upgrade.run(Door { site, browser })
}

struct Door {
    site: SiteState,
    browser: Browser,
}

#[derive(Debug, serde::Deserialize)]
#[serde(tag = "action", content = "data")]
enum Ask {
    Login(SignInForm),
    Signup(SignUpForm),
}

impl Action for Ask {}

impl Consumer for Door {
    type Action = Ask;
    type Event = ();

    async fn receive(&mut self, socket: &mut Socket, ask: Ask) -> Result<(), Error> {
        assert!(!format!("{ask:?}").contains(PASSWORD), "a password would be in the log");
        let accounts = self.site.accounts();
        let ticket = match ask {
            Ask::Login(form) => accounts.sign_in_over_socket(&self.browser, form).await,
            Ask::Signup(form) => accounts.sign_up_over_socket(&self.browser, form).await,
        };
        let words = match ticket {
            Ok(ticket) => format!("ticket {}", text(&ticket)),
            Err(NoTicket::Refused(form)) => format!("refused {form:?}"),
            Err(NoTicket::Error(error)) => return Err(SiteError::over_socket(error)),
        };
        socket.send_text(words).await
    }
}

/// The ticket as it stands in its form, and nowhere else.
fn text(ticket: &LoginToken) -> String {
    let form = ticket.form("/me/").unwrap().to_string();
    assert!(
        form.contains("method=\"post\" action=\"/accounts/ticket/\"")
            && form.contains("value=\"/me/\"")
    );
    let text = form
        .split("name=\"ticket\" value=\"")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap()
        .to_owned();
    assert!(!format!("{ticket:?}").contains(&text), "a ticket would be in the log");
    text
}

async fn site(database: &TestDatabase) -> TestSite {
    TestSite::start(database, vec![door()]).await
}

async fn answered(client: &Client, ask: &str) -> String {
    let mut window = Window::open(client, "/ws/door/").await;
    window.say(ask).await;
    window.text().await
}

fn login(name: &str, password: &str) -> String {
    format!(r#"{{"action":"Login","data":{{"email":"{name}","password":"{password}"}}}}"#)
}

fn signup(name: &str) -> String {
    format!(
        r#"{{"action":"Signup","data":{{"username":"{name}","email":"{name}@example.org","password":"{PASSWORD}","password_confirm":"{PASSWORD}"}}}}"#
    )
}

async fn ticket(client: &Client, ask: &str) -> String {
    let answer = answered(client, ask).await;
    answer.strip_prefix("ticket ").unwrap_or_else(|| panic!("no ticket: {answer}")).to_owned()
}

#[apply(on_databases)]
#[tokio::test]
async fn a_ticket_begins_a_session_once_and_leads_on(database: TestDatabase) {
    let site = site(&database).await;
    site.person("Ada").await;
    let mut browser = site.client();
    let ticket = ticket(&browser, &login("ada", PASSWORD)).await;
    assert_eq!(browser.get("/me/").await.status, 303, "nobody is signed in by the socket alone");
    let mut thief = browser.clone();
    let fields = [("ticket", &*ticket), ("next", "/me/")];
    let redeemed = browser.post("/accounts/ticket/", &fields).await;
    assert_eq!((redeemed.status, redeemed.location()), (303, "/me/"));
    assert_eq!(browser.get("/me/").await.text, "Ada");
    let again = thief.post("/accounts/ticket/", &fields).await;
    assert_eq!(again.status, 422);
    assert!(
        again.text.contains("sign in once more") && !again.text.contains(&ticket),
        "{}",
        again.text
    );
    assert_ne!(thief.get("/me/").await.text, "Ada");
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn who_signs_up_over_a_socket_has_an_account_and_a_ticket_to_it(database: TestDatabase) {
    let site = site(&database).await;
    let mut browser = site.client();
    let ticket = ticket(&browser, &signup("Grace")).await;
    browser.post("/accounts/ticket/", &[("ticket", &ticket), ("next", "//evil.example")]).await;
    assert_eq!(browser.get("/me/").await.text, "Grace");
    assert_eq!(site.client().sign_in("grace@example.org", PASSWORD).await.status, 303);
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn a_ticket_is_worth_nothing_after_a_minute_after_a_new_password_or_for_who_was_deactivated(
    database: TestDatabase,
) {
    let site = site(&database).await;
    let mut ada = site.person("Ada").await;
    let old = ticket(&ada, &login("Ada", PASSWORD)).await;
    site.state().clock().advance(Duration::from_secs(60));
    let mut browser = site.client();
    assert_eq!(
        browser.post("/accounts/ticket/", &[("ticket", &old)]).await.status,
        422,
        "a minute"
    );

    let before = ticket(&ada, &login("Ada", PASSWORD)).await;
    let new = "another bell for every test";
    let fields = [("current", PASSWORD), ("password", new), ("password_confirm", new)];
    assert_eq!(ada.post("/accounts/password/", &fields).await.location(), "/accounts/");
    assert_eq!(
        browser.post("/accounts/ticket/", &[("ticket", &before)]).await.status,
        422,
        "a new password"
    );

    let after = ticket(&ada, &login("Ada", new)).await;
    site.state().accounts().deactivate("Ada").await.unwrap();
    assert_eq!(
        browser.post("/accounts/ticket/", &[("ticket", &after)]).await.status,
        422,
        "deactivated"
    );

    for nonsense in ["", "x", "\0", &"A".repeat(43), &"x".repeat(10_000)] {
        let refused = browser.post("/accounts/ticket/", &[("ticket", nonsense)]).await;
        assert_eq!(refused.status, 422, "{nonsense:?}");
    }
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn another_process_redeems_the_ticket_and_of_two_at_once_one_does(database: TestDatabase) {
    let site = site(&database).await;
    site.person("Ada").await;
    let ticket = ticket(&site.client(), &login("Ada", PASSWORD)).await;
    let beside = site.beside(vec![door()]).await;
    let redeem = |mut browser: Client| {
        let ticket = ticket.clone();
        async move { browser.post("/accounts/ticket/", &[("ticket", &*ticket)]).await.status }
    };
    let all = [redeem(beside.client()), redeem(site.client()), redeem(beside.client())];
    let statuses = futures_util::future::join_all(all).await;
    assert_eq!(statuses.iter().filter(|status| **status == 303).count(), 1, "{statuses:?}");
    beside.stop().await;
    site.stop().await;
}

#[tokio::test]
async fn the_session_that_the_browser_had_is_over_and_another_sites_page_redeems_nothing() {
    let site = site(&TestDatabase::Sqlite).await;
    site.person("Ada").await;
    let mut ben = site.person("Ben").await;
    let old = ben.clone();
    let ticket = ticket(&ben, &login("Ada", PASSWORD)).await;
    let fields = [("ticket", &*ticket), ("next", "/me/")];
    let evil =
        ben.post_with("/accounts/ticket/", &[("origin", "https://evil.example")], &fields).await;
    assert_eq!(evil.status, 403);
    assert_eq!(ben.post("/accounts/ticket/", &fields).await.status, 303);
    assert_eq!(ben.get("/me/").await.text, "Ada");
    assert_ne!(old.clone().get("/me/").await.text, "Ben", "the old session ended");
    site.stop().await;
}

#[tokio::test]
async fn what_is_wrong_is_said_in_the_words_of_the_forms_and_no_password_comes_back() {
    let site = site(&TestDatabase::Sqlite).await;
    site.person("Ada").await;
    let stranger = site.client();
    for (ask, page, words) in [
        (
            login("Ada", "not the password"),
            "/accounts/login/",
            "There is no account with this name and this password.",
        ),
        (login("", "x"), "/accounts/login/", "Please type your name or e-mail address."),
        (login("Ada", ""), "/accounts/login/", "Please type your password."),
        (signup("Ada"), "/accounts/signup/", "This name is taken."),
        (signup("a@<b>"), "/accounts/signup/", "A name has no @"),
        (
            r#"{"action":"Signup","data":{"username":"New","password":"2short","password_confirm":"other"}}"#
                .to_owned(),
            "/accounts/signup/",
            "The two passwords are not the same.",
        ),
    ] {
        let answer = answered(&stranger, &ask).await;
        assert!(answer.starts_with("refused") && answer.contains(words), "{ask}: {answer}");
        assert!(
            !answer.contains("not the password") && !answer.contains("2short") && !answer.contains(PASSWORD)
        );
        // The same form by HTTP says the same.
        let data: serde_json::Value = serde_json::from_str(&ask).unwrap();
        let fields = data["data"].as_object().unwrap();
        let fields: Vec<_> =
            fields.iter().map(|(name, value)| (name.as_str(), value.as_str().unwrap())).collect();
        let by_http = site.client().post(page, &fields).await;
        assert!(by_http.status == 422 && by_http.text.contains(words), "{ask}: {}", by_http.text);
    }
    site.stop().await;
}

#[tokio::test]
async fn the_limits_of_the_forms_count_for_sockets_too() {
    let site = site(&TestDatabase::Sqlite).await;
    site.person("Ada").await;
    let stranger = site.client();
    for _ in 0..5 {
        assert!(
            answered(&stranger, &login("Ada", "wrong password"))
                .await
                .contains("There is no account")
        );
        assert_eq!(site.client().sign_in("Ada", "wrong password").await.status, 422);
    }
    assert!(answered(&stranger, &login("Ada", PASSWORD)).await.contains("Too many attempts"));
    assert_eq!(site.client().sign_in("Ada", PASSWORD).await.status, 429);
    site.stop().await;

    let closed = TestSite::start_with(&TestDatabase::Sqlite, vec![door()], |settings| {
        settings.sign_up = SignUp::Closed
    })
    .await;
    let answer = answered(&closed.client(), &signup("Grace")).await;
    assert!(answer.contains("takes no new accounts"), "{answer}");
    closed.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn a_ticket_that_nobody_made_waits_for_no_writer_and_counts_as_a_failed_sign_in(
    database: TestDatabase,
) {
    let site = site(&database).await;
    site.person("Ada").await;
    let good = ticket(&site.client(), &login("Ada", PASSWORD)).await;
    let (begun, release) = (oneshot::channel(), oneshot::channel::<()>());
    let db = site.state().db().clone();
    let writer = tokio::spawn(async move {
        db.write(async move |_: Tx| {
            begun.0.send(()).expect("the test waits");
            release.1.await.expect("the test lets go");
            Ok::<_, DbError>(())
        })
        .await
    });
    within("the writer", begun.1).await.expect("the writer begins");
    let mut browser = site.client();
    for number in 0..100_u8 {
        let guess = char::from(b'A' + number % 26).to_string().repeat(42) + "A";
        let fields = [("ticket", &*guess)];
        // It comes while somebody writes.
        let refused = browser.post("/accounts/ticket/", &fields).await;
        assert_eq!(refused.status, 422, "{number}");
    }
    release.0.send(()).expect("the writer waits");
    within("the writer's end", writer).await.unwrap().unwrap();

    let late = browser.post("/accounts/ticket/", &[("ticket", &*good)]).await;
    assert!(late.status == 429 && !late.header("retry-after").is_empty(), "{}", late.status);
    site.state().clock().advance(Duration::from_secs(180));
    let good = ticket(&browser, &login("Ada", PASSWORD)).await;
    assert_eq!(browser.post("/accounts/ticket/", &[("ticket", &*good)]).await.status, 303);
    site.stop().await;
}
