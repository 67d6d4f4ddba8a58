//! Tests of the owner of a page: the person or the anonymous session for whom it was made.

use axum::Router;
use axum::http::StatusCode;
use axum::response::{Redirect, Response};
use axum::routing::{get, post};
use bellwire::{Consumer, Error, Frame, Html, Socket};
use bellwire_site::{Answer, App, Live, Page, Session, SiteError};
use bellwire_testkit::{Client, PASSWORD, TestDatabase, TestSite, Window, apply, on_databases};

struct Quiet;

impl Consumer for Quiet {
    type Action = Frame;
    type Event = ();
    type Error = Error;

    async fn receive(&mut self, _: &mut Socket<Self>, _: Frame) -> Result<(), Error> {
        Ok(())
    }
}

async fn begin(mut session: Session) -> Result<Page, SiteError> {
    session.begin().await?;
    Ok(page())
}

async fn submit(answer: Answer) -> Response {
    answer.ok(Redirect::to("/notes/"))
}

async fn live(live: Live) -> Response {
    live.run(Quiet)
}

fn page() -> Page {
    Page::new("Notes", Html::trusted("<h1>Notes</h1>"))
}

fn apps() -> Vec<App> {
    let invalid = async || page().status(StatusCode::UNPROCESSABLE_ENTITY);
    let routes = Router::new()
        .route("/notes/", get(async || page()).post(submit))
        .route("/notes/begin/", get(begin))
        .route("/notes/invalid/", post(invalid))
        .route("/notes/refused/", post(async || Error::refuse("text", "Write <something>.")))
        .route("/ws/notes/", get(live));
    vec![App::new("notes").router(routes)]
}

/// The owner that the page names.
async fn owner(client: &mut Client, path: &str) -> Option<String> {
    let page = client.get(path).await.text;
    let owner = page.split("<meta name=\"bellwire-person\" content=\"").nth(1)?;
    owner.split('"').next().map(str::to_owned)
}

/// The owner that a connection names in its first frame; empty for nobody.
async fn owner_of_connection(client: &Client) -> String {
    let mut window = Window::open(client, "/ws/notes/?dialect=htmx&hello=1").await;
    let hello = window.hear(&["data-bw-hello"]).await;
    let owner = hello.split("data-bw-person=\"").nth(1).and_then(|rest| rest.split('"').next());
    owner.expect("the person of the connection").to_owned()
}

#[apply(on_databases)]
#[tokio::test]
async fn a_page_and_a_connection_name_the_person_the_anonymous_session_or_nobody(
    database: TestDatabase,
) {
    let site = TestSite::start(&database, apps()).await;
    let mut browser = site.client();
    assert_eq!(owner(&mut browser, "/notes/").await, None);
    assert_eq!(owner_of_connection(&browser).await, "");

    let session = owner(&mut browser, "/notes/begin/").await.expect("the session that it begins");
    assert!(session.starts_with("session."), "{session}");
    assert_eq!(owner(&mut browser, "/notes/").await.as_ref(), Some(&session));
    assert_eq!(owner_of_connection(&browser).await, session);
    let other = owner(&mut site.client(), "/notes/begin/").await;
    assert!(other.is_some_and(|other| other != session));

    browser.sign_up("Ada").await;
    let person = site.user(&browser).await.key();
    assert!(person.starts_with("user."), "{person}");
    for path in ["/notes/", "/notes/begin/", "/nothing/", "/accounts/"] {
        assert_eq!(owner(&mut browser, path).await.as_ref(), Some(&person), "{path}");
    }
    assert_eq!(owner_of_connection(&browser).await, person);
    site.stop().await;
}

/// Submits the form as a script does, from a page of this owner. Returns the status and the answer.
async fn submit_from(client: &mut Client, site: &TestSite, owner: &str) -> (u16, String) {
    let origin = site.url("");
    let headers = [("origin", &*origin), ("bellwire-request", "1"), ("bellwire-person", owner)];
    let response = client.post_with("/notes/", &headers, &[]).await;
    (response.status, response.header("bellwire-answer").to_owned())
}

#[tokio::test]
async fn a_form_from_a_page_of_somebody_else_is_refused_and_not_answered() {
    let site = TestSite::start(&TestDatabase::Sqlite, apps()).await;
    let (answered, unanswered) = ((204, "ok".to_owned()), (401, String::new()));
    let mut browser = site.client();
    let session = owner(&mut browser, "/notes/begin/").await.expect("a session");
    assert_eq!(submit_from(&mut browser, &site, &session).await, answered);
    assert_eq!(submit_from(&mut site.client(), &site, &session).await, unanswered);

    let ada = site.person("Ada").await;
    let ada = site.user(&ada).await.key();
    browser.sign_up("Ben").await;
    let ben = site.user(&browser).await.key();
    assert_eq!(submit_from(&mut browser, &site, &ben).await, answered);
    for former in [&ada, &session] {
        assert_eq!(submit_from(&mut browser, &site, former).await, unanswered, "{former}");
    }
    browser.post("/accounts/logout/", &[]).await;
    assert_eq!(submit_from(&mut browser, &site, &ben).await, unanswered, "after signing out");
    browser.sign_in("Ben", PASSWORD).await;
    assert_eq!(submit_from(&mut browser, &site, &ben).await, answered, "after signing in again");
    site.stop().await;
}

#[tokio::test]
async fn a_form_that_a_browser_submits_itself_is_redirected_whoever_is_signed_in() {
    let site = TestSite::start(&TestDatabase::Sqlite, apps()).await;
    for mut client in [site.client(), site.person("Ada").await] {
        let response = client.post("/notes/", &[]).await;
        assert_eq!((response.status, response.location()), (303, "/notes/"));
    }
    site.stop().await;
}

#[tokio::test]
async fn a_page_with_status_422_answers_the_form_as_refused() {
    let site = TestSite::start(&TestDatabase::Sqlite, apps()).await;
    let mut client = site.client();
    let refused = client.post("/notes/invalid/", &[]).await;
    assert_eq!((refused.status, refused.header("bellwire-answer")), (422, "refused"));
    assert!(refused.text.contains("<h1>Notes</h1>"), "{}", refused.text);
    assert_eq!(client.get("/notes/").await.header("bellwire-answer"), "");
    let refused = client.post("/notes/refused/", &[]).await;
    assert_eq!((refused.status, refused.header("bellwire-answer")), (422, "refused"));
    assert!(refused.text.contains("Write &#60;something&#62;."), "{}", refused.text);
    site.stop().await;
}
