//! For whom a page is: a page that does not say so keeps what waits for its tab alone.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::http::header::{COOKIE, SET_COOKIE};
use axum::response::{AppendHeaders, Html as Page, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use bellwire::assets::Head;
use bellwire::{Action, ActionForm, Answer, Bellwire, Consumer, Error, Live, Socket};
use bellwire_browser_tests::{Browsers, NetworkError, Person};
use serde_json::json;
use tokio::net::TcpListener;

/// A note of a person: the key of the person, and the text.
type Notes = Arc<Mutex<Vec<(String, String)>>>;

const SIGN_IN: &str = "<title>Sign in</title><link rel=\"icon\" href=\"data:,\">Please sign in.";

#[derive(Clone)]
struct App {
    bellwire: Bellwire,
    notes: Notes,
}

impl axum::extract::FromRef<App> for Bellwire {
    fn from_ref(app: &App) -> Self {
        app.bellwire.clone()
    }
}

#[derive(Action)]
enum Ask {
    #[action(form)]
    Note { text: String },
}

/// A connection that notes what its person says.
struct Writer {
    person: String,
    notes: Notes,
}

impl Consumer for Writer {
    type Action = Ask;
    type Event = ();
    type Error = Error;

    async fn receive(
        &mut self,
        _: &mut Socket<Self>,
        Ask::Note { text }: Ask,
    ) -> Result<(), Error> {
        self.notes.lock().unwrap().push((self.person.clone(), text));
        Ok(())
    }
}

fn person(headers: &HeaderMap) -> String {
    let cookies = bellwire::header_items(headers, COOKIE, b';');
    let name = cookies.filter_map(|cookie| cookie.strip_prefix(b"name=")).next();
    name.map(|name| String::from_utf8_lossy(name).into_owned()).unwrap_or_default()
}

/// A page that does not say for whom it is.
async fn page(State(app): State<App>) -> Page<String> {
    document(&app.bellwire.head())
}

/// A page that says for whom it is.
async fn owned(State(app): State<App>, headers: HeaderMap) -> Page<String> {
    document(&app.bellwire.head().person(person(&headers)))
}

/// A form of an app whose sign-in check redirects, and which otherwise notes the text.
async fn note(
    State(app): State<App>,
    headers: HeaderMap,
    answer: Answer,
    ActionForm(Ask::Note { text }): ActionForm<Ask>,
) -> Response {
    match person(&headers) {
        nobody if nobody.is_empty() => Redirect::to("/sign-in").into_response(),
        person => {
            app.notes.lock().unwrap().push((person, text));
            answer.ok(Redirect::to("/"))
        }
    }
}

/// A form whose handler forgot to answer.
async fn forgetful(State(app): State<App>, headers: HeaderMap) -> Redirect {
    app.notes.lock().unwrap().push((person(&headers), "forgotten".to_owned()));
    Redirect::to("/owned")
}

fn document(head: &Head) -> Page<String> {
    Page(format!(
        "<!doctype html><html lang=en><head><title>Notes</title>{head}
         <link rel=\"icon\" href=\"data:,\"></head>
         <body><main bw-connect=\"/live\"><p id=\"connection-reason\"></p>
         <form id=\"note\" bw-send=\"Note\" action=\"/note\" method=\"post\">
         <input type=\"hidden\" name=\"client_id\"><input id=\"text\" name=\"text\"><button>Note</button>
         <p id=\"error\"></p></form>
         <form id=\"forgetful\" bw-send=\"Note\" action=\"/forgetful\" method=\"post\">
         <input type=\"hidden\" name=\"client_id\"><input type=\"hidden\" name=\"text\" value=\"x\">
         <button>Forget</button><p id=\"error--forgetful\"></p></form>
         <p id=\"connection-sign-in\" hidden><a href=\"/sign-in\">Sign in</a></p>
         </main></body></html>"
    ))
}

async fn live(State(app): State<App>, headers: HeaderMap, live: Live) -> Response {
    let person = person(&headers);
    let writer = Writer { person: person.clone(), notes: app.notes };
    if person.is_empty() { live.run(writer) } else { live.person(person).run(writer) }
}

async fn sign_in(Path(name): Path<String>) -> impl IntoResponse {
    (AppendHeaders([(SET_COOKIE, format!("name={name}; Path=/"))]), Redirect::to("/"))
}

async fn open() -> (Browsers, Notes) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address: SocketAddr = listener.local_addr().unwrap();
    let bellwire = Bellwire::builder(format!("http://{address}")).build().unwrap();
    let notes = Notes::default();
    let router = Router::new()
        .route("/", get(page))
        .route("/live", get(live))
        .route("/owned", get(owned))
        .route("/note", post(note))
        .route("/forgetful", post(forgetful))
        .route("/sign-in", get(async || Page(SIGN_IN)))
        .route("/as/{name}", get(sign_in))
        .merge(bellwire.assets())
        .with_state(App { bellwire: bellwire.clone(), notes: notes.clone() });
    tokio::spawn(bellwire::serve(listener, router, &bellwire).until(std::future::pending()));
    (Browsers::at(address).await, notes)
}

async fn writes(person: &Person, text: &str) {
    person.types("#text", text).await;
    person.presses("#note button").await;
}

async fn has_noted(person: &Person, notes: &Notes, text: &str) {
    let noted = || notes.lock().unwrap().iter().any(|(_, noted)| noted == text);
    while !noted() {
        person.run_script("return new Promise((done) => setTimeout(done, 20))", &[]).await;
    }
}

#[tokio::test]
async fn what_waits_in_a_page_without_an_owner_survives_a_cut() {
    let (browsers, notes) = open().await;
    let (ada, wire) = browsers.person_with_proxy("Ada").await;
    ada.expects(NetworkError::Unreachable);
    ada.visit("/as/ada").await;
    ada.is_connected().await;
    wire.cut();
    writes(&ada, "kept").await;
    wire.restore();
    has_noted(&ada, &notes, "kept").await;
    assert_eq!(*notes.lock().unwrap(), [("ada".to_owned(), "kept".to_owned())]);
}

#[tokio::test]
async fn what_waits_in_a_page_without_an_owner_is_dropped_at_the_next_sign_in() {
    let (browsers, notes) = open().await;
    let (ada, wire) = browsers.person_with_proxy("Ada").await;
    ada.expects(NetworkError::Unreachable);
    ada.visit("/as/ada").await;
    ada.is_connected().await;
    wire.cut();
    writes(&ada, "of Ada").await;
    // In another tab of the same browser somebody else signs in.
    becomes(&ada, "ben").await;
    let record = "window.refused = []
        document.addEventListener('bellwire:refused', ({ detail }) => refused.push(detail.error))
        return true";
    ada.run_script(record, &[]).await;
    wire.restore();
    let told =
        "return window.refused?.includes('You signed in as somebody else, so this was not sent.')";
    ada.until("was told that it was not sent", told, &[json!(0)]).await;
    writes(&ada, "of Ben").await;
    has_noted(&ada, &notes, "of Ben").await;
    assert_eq!(*notes.lock().unwrap(), [("ben".to_owned(), "of Ben".to_owned())]);
}

/// Changes the cookie in the browser and waits until it is stored. No connection is told.
async fn becomes(person: &Person, name: &str) {
    let script = "const [name, value] = ['name', arguments[0]]
        return cookieStore.set({ name, value, path: '/' }).then(() => true)";
    person.run_script(script, &[json!(name)]).await;
}

async fn opens_owned(person: &Person) {
    person.visit("/owned").await;
    person.is_connected().await;
}

#[tokio::test]
async fn over_a_stream_a_redirect_to_the_sign_in_page_is_no_answer() {
    let (browsers, notes) = open().await;
    let (ada, _wire) = browsers.person_without_websockets("Ada").await;
    ada.expects(NetworkError::Status(403));
    becomes_first(&ada, "ada").await;
    opens_owned(&ada).await;
    becomes(&ada, "").await;
    writes(&ada, "kept").await;
    ada.find("#connection-sign-in").await;
    assert!(notes.lock().unwrap().is_empty());
    becomes(&ada, "ada").await;
    opens_owned(&ada).await;
    has_noted(&ada, &notes, "kept").await;
    ada.reloads().await;
    ada.is_connected().await;
    assert_eq!(*notes.lock().unwrap(), [("ada".to_owned(), "kept".to_owned())]);
}

#[tokio::test]
async fn a_form_that_nobody_answers_is_given_back_and_not_sent_again_at_each_load() {
    let (browsers, notes) = open().await;
    let (ada, _wire) = browsers.person_without_websockets("Ada").await;
    ada.expects(NetworkError::Status(403));
    becomes_first(&ada, "ada").await;
    opens_owned(&ada).await;
    let record = "window.refused = []
        document.addEventListener('bellwire:refused', ({ detail }) => refused.push(detail.error))
        return true";
    ada.run_script(record, &[]).await;
    ada.presses("#forgetful button").await;
    let told =
        "return window.refused?.[0]?.startsWith('It is not certain whether this was accepted.')";
    ada.until("was told that nobody answered", told, &[]).await;
    for _ in 0..2 {
        ada.reloads().await;
        ada.is_connected().await;
    }
    assert_eq!(notes.lock().unwrap().len(), 1);
    let told = ada.console_messages().await.join("\n");
    assert!(told.contains("Bellwire-Answer"), "the developer is told: {told}");
}

#[tokio::test]
async fn a_page_of_another_person_sends_nothing_when_its_connection_returns() {
    let (browsers, notes) = open().await;
    let (ada, wire) = browsers.person_with_proxy("Ada").await;
    ada.expects(NetworkError::Unreachable);
    becomes_first(&ada, "ada").await;
    opens_owned(&ada).await;
    wire.cut();
    writes(&ada, "of Ada").await;
    becomes(&ada, "ben").await;
    wire.restore();
    ada.reads("#connection-reason", "You are signed in as somebody else.").await;
    becomes(&ada, "ada").await;
    opens_owned(&ada).await;
    has_noted(&ada, &notes, "of Ada").await;
    assert_eq!(*notes.lock().unwrap(), [("ada".to_owned(), "of Ada".to_owned())]);
}

/// Signs in before any page of the app is open.
async fn becomes_first(person: &Person, name: &str) {
    person.visit("/sign-in").await;
    becomes(person, name).await;
}
