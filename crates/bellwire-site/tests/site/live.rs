//! Sockets: the bell on the first page, and what signing out does to them.

use axum::Router;
use axum::http::HeaderValue;
use axum::response::Response;
use axum::routing::get;
use bellwire::{Consumer, Error, Frame, Socket};
use bellwire_site::testing::{Client, PATIENCE, TestDatabase, TestSite, databases};
use bellwire_site::{App, SiteState, Upgrade, User};
use futures_util::{SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio_websockets::{ClientBuilder, Message, WebSocketStream};

pub(crate) struct Window {
    stream: WebSocketStream<tokio_websockets::MaybeTlsStream<TcpStream>>,
}

impl Window {
    pub(crate) async fn open(site: &TestSite, client: &Client, path: &str) -> Self {
        Self::try_open(site, client, path, &site.url("")).await.expect("the socket should open")
    }

    pub(crate) async fn try_open(
        site: &TestSite,
        client: &Client,
        path: &str,
        origin: &str,
    ) -> Result<Self, tokio_websockets::Error> {
        let uri = site.url(path).replacen("http", "ws", 1).parse().expect("an address");
        let header = |value: &str| HeaderValue::from_str(value).expect("a header");
        let mut builder =
            ClientBuilder::from_uri(uri).add_header(axum::http::header::ORIGIN, header(origin))?;
        if !client.cookies().is_empty() {
            builder = builder.add_header(axum::http::header::COOKIE, header(&client.cookies()))?;
        }
        Ok(Self { stream: builder.connect().await?.0 })
    }

    pub(crate) async fn send(&mut self, text: &str) {
        self.stream.send(Message::text(text.to_owned())).await.expect("the socket should take it");
    }

    async fn next(&mut self) -> Message {
        let next = tokio::time::timeout(PATIENCE, self.stream.next()).await.expect("something in time");
        next.expect("the socket should be open").expect("the socket should work")
    }

    /// The next text that arrives.
    pub(crate) async fn text(&mut self) -> String {
        loop {
            if let Some(text) = self.next().await.as_text() {
                return text.to_owned();
            }
        }
    }

    /// Waits until something with all of `expected` in it arrives.
    pub(crate) async fn hear(&mut self, expected: &[&str]) {
        while !self.next().await.as_text().is_some_and(|text| expected.iter().all(|part| text.contains(part)))
        {
        }
    }

    async fn hear_rung(&mut self, times: u32) {
        self.hear(&["\"#rings\"", &format!("\"html\":\"{times}\"")]).await;
    }

    async fn hear_windows(&mut self, number: u32) {
        self.hear(&["\"#windows\"", &format!("\"html\":\"{number}\"")]).await;
    }

    /// Waits until it is closed, and says with which code.
    pub(crate) async fn closed(&mut self) -> u16 {
        self.ending().await.code
    }

    /// Listens until it is closed.
    pub(crate) async fn ending(&mut self) -> Ending {
        let mut heard = Vec::new();
        loop {
            let message = self.next().await;
            if let Some((code, reason)) = message.as_close() {
                return Ending { code: code.into(), reason: reason.to_owned(), heard };
            }
            heard.extend(message.as_text().map(str::to_owned));
        }
    }
}

/// How a window was closed, and what it heard until then.
#[derive(Debug)]
pub(crate) struct Ending {
    pub(crate) code: u16,
    pub(crate) reason: String,
    pub(crate) heard: Vec<String>,
}

const RING: &str = r#"{"action":"Ring","data":{}}"#;

#[tokio::test]
async fn a_bell_rung_in_one_window_rings_in_all_of_them_and_the_windows_are_counted() {
    let site = TestSite::start(&TestDatabase::Sqlite, vec![]).await;
    let mut stranger = site.client();
    let mut one = Window::open(&site, &stranger, "/ws/").await;
    one.hear_rung(0).await;
    let mut two = Window::open(&site, &stranger, "/ws/").await;
    one.hear_windows(2).await;
    two.hear_windows(2).await;
    one.send(RING).await;
    one.hear_rung(1).await;
    two.hear_rung(1).await;
    let answer = stranger.post("/ring/", &[]).await;
    assert_eq!((answer.status, answer.location()), (303, "/"), "without JavaScript");
    one.hear_rung(2).await;
    assert!(stranger.get("/").await.text.contains(">2</dd>"));
    drop(two);
    one.hear_windows(1).await;
    site.stop().await;
}

#[tokio::test]
async fn an_address_rings_sixty_times_a_minute_and_windows_hear_it_gathered() {
    let site = TestSite::start(&TestDatabase::Sqlite, vec![]).await;
    let mut window = Window::open(&site, &site.client(), "/ws/").await;
    window.hear_rung(0).await;
    let rings = (0..60).map(|_| {
        let mut client = site.client();
        async move { client.post("/ring/", &[]).await.status }
    });
    assert_eq!(futures_util::future::join_all(rings).await, [303; 60]);
    let refused = site.client().post("/ring/", &[]).await;
    assert_eq!(refused.status, 429);
    assert!(!refused.header("retry-after").is_empty() && refused.text.contains("Too often"));
    let mut heard = 0;
    while !window.next().await.as_text().is_some_and(|text| {
        heard += usize::from(text.contains("#rings"));
        text.contains("\"html\":\"60\"")
    }) {}
    assert!(heard < 30, "sixty rings are not sixty frames: {heard}");
    site.state().clock().advance(std::time::Duration::from_secs(60));
    assert_eq!(site.client().post("/ring/", &[]).await.status, 303);
    site.stop().await;
}

#[tokio::test]
async fn nonsense_is_answered_and_the_window_goes_on() {
    let site = TestSite::start(&TestDatabase::Sqlite, vec![]).await;
    let mut window = Window::open(&site, &site.client(), "/ws/").await;
    for nonsense in
        ["", "x", "{}", "[]", r#"{"action":"Sing"}"#, r#"{"action":1}"#, r#"{"action":"Ring","data":7}"#]
    {
        window.send(nonsense).await;
        if nonsense != "{}" {
            window.hear(&["error"]).await;
        }
    }
    window.send(RING).await;
    window.hear_rung(2).await; // the empty form is a ring, too
    site.stop().await;
}

#[tokio::test]
async fn a_socket_from_another_sites_page_is_refused_and_the_setting_named() {
    let site = TestSite::start(&TestDatabase::Sqlite, vec![]).await;
    for origin in ["https://evil.example", "null"] {
        assert!(Window::try_open(&site, &site.client(), "/ws/", origin).await.is_err());
        let handshake = [
            ("origin", origin),
            ("accept", "*/*"),
            ("connection", "upgrade"),
            ("upgrade", "websocket"),
            ("sec-websocket-version", "13"),
            ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ];
        let refused = site.client().get_with("/ws/", &handshake).await;
        assert_eq!(refused.status, 403);
        assert!(refused.text.contains("BELLWIRE_URL and BELLWIRE_ORIGINS"), "{}", refused.text);
    }
    site.stop().await;
}

struct Echo;

impl Consumer for Echo {
    type Action = Frame;
    type Event = ();

    async fn receive(&mut self, socket: &mut Socket, frame: Frame) -> Result<(), Error> {
        socket.send(frame).await
    }
}

async fn echo(_: User, upgrade: Upgrade) -> Response {
    upgrade.run(Echo)
}

fn routes(_: &SiteState) -> Router<SiteState> {
    Router::new().route("/ws/echo/", get(echo))
}

#[tokio::test]
async fn signing_out_closes_the_sockets_of_this_browser_and_of_no_other() {
    for database in databases() {
        let site = TestSite::start(&database, vec![App::new("echo").routes(routes)]).await;
        assert!(Window::try_open(&site, &site.client(), "/ws/echo/", &site.url("")).await.is_err());
        let mut laptop = site.client();
        laptop.sign_up("Ada").await;
        let mut phone = site.client();
        phone.sign_in("Ada", bellwire_site::testing::PASSWORD).await;
        let mut on_laptop = Window::open(&site, &laptop, "/ws/echo/").await;
        let mut on_phone = Window::open(&site, &phone, "/ws/echo/").await;
        laptop.post("/accounts/logout/", &[]).await;
        assert_eq!(on_laptop.closed().await, 1008);
        on_phone.send("still here").await;
        on_phone.hear(&["still here"]).await;
        phone.sign_in("Ada", bellwire_site::testing::PASSWORD).await;
        assert_eq!(on_phone.closed().await, 1008, "the session before signing in anew");
        site.stop().await;
    }
}
