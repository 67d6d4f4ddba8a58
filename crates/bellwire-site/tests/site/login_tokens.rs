//! Tests of signing in over a socket: the checks, and the login token that begins the session by
//! HTTP.

use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use bellwire::{Action, Consumer, Socket};
use bellwire_site::SiteAccounts as _;
use bellwire_site::accounts::{Browser, LoginToken, LoginTokenError, SignInForm, SignUpForm};
use bellwire_site::{App, DbError, Live, SignUp, SiteError, SiteState, Tx, User};
use bellwire_testkit::{
    Client, PASSWORD, TestDatabase, TestSite, Window, apply, on_databases, within,
};
use tokio::sync::oneshot;

/// An app whose socket signs in and up, and reports the result as text.
fn sign_in_app() -> App {
    let routes = Router::new()
        .route("/ws/door/", get(socket))
        .route("/me/", get(async |user: User| user.name));
    App::new("door").router(routes)
}

async fn socket(State(site): State<SiteState>, browser: Browser, live: Live) -> Response {
    live.run(SignInConsumer { site, browser })
}

struct SignInConsumer {
    site: SiteState,
    browser: Browser,
}

#[derive(Debug, Action)]
enum Submission {
    Login(SignInForm),
    Signup(SignUpForm),
}

impl Consumer for SignInConsumer {
    type Action = Submission;
    type Event = ();
    type Error = SiteError;

    async fn receive(
        &mut self,
        socket: &mut Socket<Self>,
        submission: Submission,
    ) -> Result<(), SiteError> {
        assert!(!format!("{submission:?}").contains(PASSWORD), "a password would be in the log");
        let accounts = self.site.accounts();
        let result = match submission {
            Submission::Login(form) => accounts.sign_in_over_socket(&self.browser, form).await,
            Submission::Signup(form) => accounts.sign_up_over_socket(&self.browser, form).await,
        };
        let answer = match result {
            Ok(login_token) => format!("token {}", text(&login_token)),
            Err(LoginTokenError::Refused(form)) => format!("refused {form:?}"),
            Err(LoginTokenError::Error(error)) => return Err(error),
        };
        Ok(socket.send_text(answer).await?)
    }
}

/// The token's text, which appears only in its form.
fn text(login_token: &LoginToken) -> String {
    let form = login_token.form("/me/").unwrap().to_string();
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
    assert!(!format!("{login_token:?}").contains(&text), "a login token would be in the log");
    text
}

async fn site(database: &TestDatabase) -> TestSite {
    TestSite::start(database, vec![sign_in_app()]).await
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

async fn login_token(client: &Client, ask: &str) -> String {
    let answer = answered(client, ask).await;
    answer.strip_prefix("token ").unwrap_or_else(|| panic!("no login token: {answer}")).to_owned()
}

#[apply(on_databases)]
#[tokio::test]
async fn a_login_token_begins_one_session_and_redirects(database: TestDatabase) {
    let site = site(&database).await;
    site.person("Ada").await;
    let mut browser = site.client();
    let token = login_token(&browser, &login("ada", PASSWORD)).await;
    assert_eq!(browser.get("/me/").await.status, 303, "the socket alone does not sign in");
    let mut thief = browser.clone();
    let fields = [("ticket", &*token), ("next", "/me/")];
    let redeemed = browser.post("/accounts/ticket/", &fields).await;
    assert_eq!((redeemed.status, redeemed.location()), (303, "/me/"));
    assert_eq!(browser.get("/me/").await.text, "Ada");
    let again = thief.post("/accounts/ticket/", &fields).await;
    assert_eq!(again.status, 422);
    assert!(again.text.contains("sign in again") && !again.text.contains(&token), "{}", again.text);
    assert_ne!(thief.get("/me/").await.text, "Ada");
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn signing_up_over_a_socket_creates_an_account_and_a_login_token(database: TestDatabase) {
    let site = site(&database).await;
    let mut browser = site.client();
    let token = login_token(&browser, &signup("Grace")).await;
    browser.post("/accounts/ticket/", &[("ticket", &token), ("next", "//evil.example")]).await;
    assert_eq!(browser.get("/me/").await.text, "Grace");
    assert_eq!(site.client().sign_in("grace@example.org", PASSWORD).await.status, 303);
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn a_login_token_is_invalid_after_a_minute_a_password_change_or_deactivation(
    database: TestDatabase,
) {
    let site = site(&database).await;
    let mut ada = site.person("Ada").await;
    let old = login_token(&ada, &login("Ada", PASSWORD)).await;
    site.state().clock().advance(Duration::from_secs(60));
    let mut browser = site.client();
    assert_eq!(
        browser.post("/accounts/ticket/", &[("ticket", &old)]).await.status,
        422,
        "a minute"
    );

    let before = login_token(&ada, &login("Ada", PASSWORD)).await;
    let new = "another bell for every test";
    let fields = [("current", PASSWORD), ("password", new), ("password_confirm", new)];
    assert_eq!(ada.post("/accounts/password/", &fields).await.location(), "/accounts/");
    assert_eq!(
        browser.post("/accounts/ticket/", &[("ticket", &before)]).await.status,
        422,
        "a new password"
    );

    let after = login_token(&ada, &login("Ada", new)).await;
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
async fn any_process_can_redeem_a_login_token_and_only_one_request_succeeds(
    database: TestDatabase,
) {
    let site = site(&database).await;
    site.person("Ada").await;
    let token = login_token(&site.client(), &login("Ada", PASSWORD)).await;
    let beside = site.beside(vec![sign_in_app()]).await;
    let redeem = |mut browser: Client| {
        let token = token.clone();
        async move { browser.post("/accounts/ticket/", &[("ticket", &*token)]).await.status }
    };
    let all = [redeem(beside.client()), redeem(site.client()), redeem(beside.client())];
    let statuses = futures_util::future::join_all(all).await;
    assert_eq!(statuses.iter().filter(|status| **status == 303).count(), 1, "{statuses:?}");
    beside.stop().await;
    site.stop().await;
}

#[tokio::test]
async fn redeeming_ends_the_previous_session_and_is_refused_for_other_sites() {
    let site = site(&TestDatabase::Sqlite).await;
    site.person("Ada").await;
    let mut ben = site.person("Ben").await;
    let old = ben.clone();
    let token = login_token(&ben, &login("Ada", PASSWORD)).await;
    let fields = [("ticket", &*token), ("next", "/me/")];
    let evil =
        ben.post_with("/accounts/ticket/", &[("origin", "https://evil.example")], &fields).await;
    assert_eq!(evil.status, 403);
    assert_eq!(ben.post("/accounts/ticket/", &fields).await.status, 303);
    assert_eq!(ben.get("/me/").await.text, "Ada");
    assert_ne!(old.clone().get("/me/").await.text, "Ben", "the old session ended");
    site.stop().await;
}

#[tokio::test]
async fn errors_over_a_socket_match_the_forms_and_contain_no_password() {
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
        (signup("a@<b>"), "/accounts/signup/", "A name cannot contain @"),
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
        // The same form by HTTP has the same error text.
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
async fn the_rate_limits_of_the_forms_apply_to_sockets_too() {
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

    let closed = TestSite::start_with(&TestDatabase::Sqlite, vec![sign_in_app()], |settings| {
        settings.sign_up = SignUp::Closed
    })
    .await;
    let answer = answered(&closed.client(), &signup("Grace")).await;
    assert!(answer.contains("takes no new accounts"), "{answer}");
    closed.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn an_invalid_login_token_does_not_wait_for_the_writer_and_counts_as_a_failed_sign_in(
    database: TestDatabase,
) {
    let site = site(&database).await;
    site.person("Ada").await;
    let good = login_token(&site.client(), &login("Ada", PASSWORD)).await;
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
        // Answered while the writer is occupied.
        let refused = browser.post("/accounts/ticket/", &fields).await;
        assert_eq!(refused.status, 422, "{number}");
    }
    release.0.send(()).expect("the writer waits");
    within("the writer's end", writer).await.unwrap().unwrap();

    let late = browser.post("/accounts/ticket/", &[("ticket", &*good)]).await;
    assert!(late.status == 429 && !late.header("retry-after").is_empty(), "{}", late.status);
    site.state().clock().advance(Duration::from_secs(180));
    let good = login_token(&browser, &login("Ada", PASSWORD)).await;
    assert_eq!(browser.post("/accounts/ticket/", &[("ticket", &*good)]).await.status, 303);
    site.stop().await;
}
