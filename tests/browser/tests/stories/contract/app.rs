//! The app: its pages are strings, and its connections and forms do what a story asks for.

use std::collections::{HashMap, VecDeque};
use std::ops::Deref;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{FromRef, Path, State};
use axum::http::header::{CONTENT_TYPE, COOKIE, SET_COOKIE};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{Html as Page, IntoResponse, Redirect, Response};
use axum::routing::get;
use bellwire::{Bellwire, Close, Consumer, Error, Frame, JsonFrame, Live, Socket, Topic};
use bellwire_browser_tests::{Browsers, Person, TEST_TIMEOUT};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::timeout;

/// All connections of the app. An event closes them with its code.
pub(super) const PAGES: Topic<i64, u16> = Topic::new("pages");

/// Unmodified htmx.
const HTMX: &str = include_str!("../../../../../crates/bellwire/assets/src/htmx.js");

/// Scripts for the stories, in each page.
const TOOLS: &str = include_str!("tools.js");

/// What the server has heard, in order.
pub(super) struct Heard<T>(UnboundedSender<T>, tokio::sync::Mutex<UnboundedReceiver<T>>);

impl<T> Default for Heard<T> {
    fn default() -> Self {
        let (sender, receiver) = unbounded_channel();
        Self(sender, tokio::sync::Mutex::new(receiver))
    }
}

impl<T> Heard<T> {
    fn add(&self, heard: T) {
        let _ = self.0.send(heard);
    }

    pub(super) async fn next(&self) -> T {
        let mut receiver = self.1.lock().await;
        let next = timeout(TEST_TIMEOUT, receiver.recv()).await;
        next.ok().flatten().expect("the server never heard it")
    }
}

/// A page of the app.
#[derive(Clone)]
pub(super) enum Content {
    /// A page without an owner.
    Of(String),
    /// A page of the person who is signed in.
    Owned(String),
    /// The same, but refused.
    Refused(String),
    /// A redirect.
    Elsewhere(&'static str),
    /// A page without bellwire.js.
    Plain(String),
}

/// A form that was posted.
pub(super) struct Post {
    pub(super) path: String,
    pub(super) headers: HeaderMap,
    pub(super) body: String,
}

impl Post {
    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

/// What the stories and the handlers share.
pub(super) struct Shared {
    pub(super) bellwire: Bellwire,
    pages: Mutex<HashMap<&'static str, Content>>,
    /// The responses to the next forms; after them a form is accepted.
    responses: Mutex<VecDeque<Response>>,
    /// The path and query of each connection.
    pub(super) connections: Heard<String>,
    pub(super) disconnects: Heard<String>,
    pub(super) actions: Heard<Value>,
    pub(super) posts: Heard<Post>,
    /// The mode and path of each request for a page: `navigate /`, or `cors /` by script.
    pub(super) visits: Heard<String>,
    /// Whether an action, or a form, waits for a permit before it is answered.
    is_holding: AtomicBool,
    permits: Semaphore,
    pub(super) refuses_connections: AtomicBool,
    /// The code with which the next connection is closed at once.
    pub(super) closes_next: Mutex<Option<u16>>,
}

impl Shared {
    fn new(bellwire: Bellwire) -> Self {
        Self {
            bellwire,
            pages: Mutex::default(),
            responses: Mutex::default(),
            connections: Heard::default(),
            disconnects: Heard::default(),
            actions: Heard::default(),
            posts: Heard::default(),
            visits: Heard::default(),
            is_holding: AtomicBool::new(false),
            permits: Semaphore::new(0),
            refuses_connections: AtomicBool::new(false),
            closes_next: Mutex::default(),
        }
    }
}

/// The app of one story, and what it has heard.
#[derive(Clone)]
pub(super) struct App(Arc<Shared>);

impl Deref for App {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

impl FromRef<App> for Bellwire {
    fn from_ref(app: &App) -> Self {
        app.bellwire.clone()
    }
}

impl App {
    /// Sets the page at a path.
    pub(super) fn page(&self, path: &'static str, content: Content) {
        self.pages.lock().unwrap().insert(path, content);
    }

    /// Sets the response to the next form, after those that are set already.
    pub(super) fn responds(&self, response: impl IntoResponse) {
        self.responses.lock().unwrap().push_back(response.into_response());
    }

    /// Withholds each answer, to an action or a form, until [`answers`](Self::answers).
    pub(super) fn holds_back(&self) {
        self.is_holding.store(true, Ordering::Relaxed);
    }

    /// Gives this number of answers.
    pub(super) fn answers(&self, count: usize) {
        self.permits.add_permits(count);
    }

    async fn permit(&self) {
        if self.is_holding.load(Ordering::Relaxed) {
            self.permits.acquire().await.expect("the semaphore is open").forget();
        }
    }

    /// Closes all connections with a code.
    pub(super) fn closes(&self, code: u16) {
        self.bellwire.layer().group(PAGES.of(1)).send(code).expect("a number has a JSON form");
    }

    /// Sends a frame, and waits until the page has applied it.
    pub(super) async fn shows(&self, person: &Person, frame: &str) {
        let next = "return window.next = (window.next ?? 0) + 1";
        let number = person.run_script(next, &[]).await;
        let marked = format!(
            "{frame}<i hx-swap-oob=\"none:body\" data-bw-event=placed data-bw-detail={number}></i>"
        );
        self.bellwire.layer().group(PAGES.of(1)).text(marked);
        person.until("applied a frame", "return done === arguments[0]", &[number]).await;
    }

    /// Asserts that nothing was sent since the last action that was read.
    pub(super) async fn hears_nothing(&self, person: &Person) {
        person.run_script("bellwire.send('Marker')", &[]).await;
        assert_eq!(self.actions.next().await["action"], "Marker");
    }
}

/// The connection of a page.
struct Window {
    app: App,
    path: String,
}

impl Consumer for Window {
    type Action = JsonFrame<Value>;
    type Event = u16;
    type Error = Error;

    async fn connect(&mut self, socket: &mut Socket<Self>) -> Result<(), Error> {
        socket.join(PAGES.of(1));
        if self.path.contains("at=binary") {
            socket.send(Frame::Binary("0".into())).await?;
        }
        self.app.connections.add(self.path.clone());
        match self.app.closes_next.lock().unwrap().take() {
            Some(code) => Err(Close::new(code, "").into()),
            None => Ok(()),
        }
    }

    /// Sends the frame that the data contains, waits for a permit, and refuses what is bad.
    async fn receive(
        &mut self,
        socket: &mut Socket<Self>,
        JsonFrame(action): JsonFrame<Value>,
    ) -> Result<(), Error> {
        self.app.actions.add(action.clone());
        let data = &action["data"];
        if let Some(frame) = data["frame"].as_str() {
            let id = data["client_id"].as_str().unwrap_or_default();
            socket.send_text(frame.replace("CLIENT_ID", id)).await?;
        }
        self.app.permit().await;
        match data["text"].as_str() {
            Some("bad") => Err(Error::refuse("text", "This is <b>bad</b>.")),
            Some("worse") => Err(Error::refused("This is worse.")),
            _ => Ok(()),
        }
    }

    async fn event(&mut self, socket: &mut Socket<Self>, code: &u16) -> Result<(), Error> {
        socket.close(Close::new(*code, "Goodbye."));
        Ok(())
    }

    async fn disconnect(&mut self, _: &mut Socket<Self>, _: Close) {
        self.app.disconnects.add(self.path.clone());
    }
}

/// The person in the cookie; empty for nobody.
fn person(headers: &HeaderMap) -> String {
    let cookies = bellwire::header_items(headers, COOKIE, b';');
    let name = cookies.filter_map(|cookie| cookie.strip_prefix(b"name=")).next();
    name.map(|name| String::from_utf8_lossy(name).into_owned()).unwrap_or_default()
}

async fn live(State(app): State<App>, uri: Uri, headers: HeaderMap, live: Live) -> Response {
    if app.refuses_connections.load(Ordering::Relaxed) {
        return StatusCode::FORBIDDEN.into_response();
    }
    let window = Window { app, path: uri.to_string() };
    match person(&headers) {
        nobody if nobody.is_empty() => live.run(window),
        person => live.person(person).run(window),
    }
}

async fn page_at(State(app): State<App>, uri: Uri, headers: HeaderMap) -> Response {
    let mode = headers.get("sec-fetch-mode").and_then(|mode| mode.to_str().ok());
    app.visits.add(format!("{} {}", mode.unwrap_or_default(), uri.path()));
    let content = app.pages.lock().unwrap().get(uri.path()).cloned();
    let owned = |body: &str| {
        let owner = person(&headers);
        document(&format!("<meta name=\"bellwire-person\" content=\"{owner}\">"), body)
    };
    match content {
        None => StatusCode::NOT_FOUND.into_response(),
        Some(Content::Of(body)) => document("", &body).into_response(),
        Some(Content::Owned(body)) => owned(&body).into_response(),
        Some(Content::Refused(body)) => (StatusCode::FORBIDDEN, owned(&body)).into_response(),
        Some(Content::Elsewhere(path)) => Redirect::to(path).into_response(),
        Some(Content::Plain(page)) => Page(page).into_response(),
    }
}

fn document(meta: &str, body: &str) -> Page<String> {
    Page(format!(
        "<!doctype html><html lang=en><head><title>Page</title><link rel=icon href='data:,'>{meta}
         <meta name=\"htmx-config\" content='{{\"extensions\":\"bellwire\"}}'>
         <script>{TOOLS}</script><script type=module src=/static/bellwire.js></script></head>
         <body>{body}</body></html>"
    ))
}

async fn post(State(app): State<App>, uri: Uri, headers: HeaderMap, body: String) -> Response {
    app.posts.add(Post { path: uri.to_string(), headers, body });
    app.permit().await;
    let accepted = || (StatusCode::NO_CONTENT, [("Bellwire-Answer", "ok")]).into_response();
    app.responses.lock().unwrap().pop_front().unwrap_or_else(accepted)
}

/// Sets the person in the cookie.
async fn sign_in(path: Option<Path<String>>) -> impl IntoResponse {
    let name = path.map(|Path(name)| name).unwrap_or_default();
    ([(SET_COOKIE, format!("name={name}; Path=/"))], StatusCode::NO_CONTENT)
}

fn script(text: &'static [u8]) -> impl IntoResponse {
    ([(CONTENT_TYPE, "text/javascript")], text)
}

fn bellwire_js() -> &'static [u8] {
    bellwire::assets::files().find(|(path, _)| *path == "bellwire.js").expect("the script").1
}

/// Serves an app with this page at `/`.
pub(super) async fn open(content: Content) -> (Browsers, App) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let bellwire = Bellwire::builder(format!("http://{address}")).build().unwrap();
    let app = App(Arc::new(Shared::new(bellwire.clone())));
    app.page("/", content);
    let router = Router::new()
        .route("/live", get(live))
        .route("/again", get(live))
        .route("/as/", get(sign_in))
        .route("/as/{name}", get(sign_in))
        .route("/static/bellwire.js", get(async || script(bellwire_js())))
        .route("/static/htmx.js", get(async || script(HTMX.as_bytes())))
        .fallback(get(page_at).post(post))
        .with_state(app.clone());
    tokio::spawn(bellwire::serve(listener, router, &bellwire).until(std::future::pending()));
    (Browsers::at(address).await, app)
}

/// Opens an app with this page at `/`, and the page.
pub(super) async fn open_page(content: Content) -> (Person, App) {
    let (browsers, app) = open(content).await;
    let ada = browsers.person("Ada").await;
    ada.visit("/").await;
    ada.is_connected().await;
    (ada, app)
}
