//! Event streams: the promises of sockets over server-sent events.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, BodyDataStream};
use axum::extract::{FromRef, State};
use axum::response::Response;
use axum::routing::get;
use bellwire::testing::{PATIENCE, within};
use bellwire::{
    Bellwire, CatchUp, Close, Consumer, Epoch, Error, EventStream, Feed, FeedSource, Frame, Group,
    GroupName, Html, Limits, Live, NoEvents, Patch, Seq, Socket,
};
use futures_util::{FutureExt, StreamExt};
use http::Request;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tower::ServiceExt;

use crate::support::{
    HANDSHAKE, Lines, Server, bellwire, eventually, read_close, wait_for_call, with_limits,
};

/// A site with several feeds and their source of truth.
#[derive(Clone)]
struct Site {
    bellwire: Bellwire,
    lines: Arc<Mutex<HashMap<GroupName, Lines>>>,
    calls: mpsc::UnboundedSender<String>,
}

impl Site {
    fn new(bellwire: Bellwire) -> (Self, mpsc::UnboundedReceiver<String>) {
        let (calls, receiver) = mpsc::unbounded_channel();
        (Self { bellwire, lines: Arc::default(), calls }, receiver)
    }

    fn lines(&self, feed: &str) -> Lines {
        self.lines.lock().unwrap().entry(name(feed)).or_default().clone()
    }

    fn feed(&self, feed: &str) -> Feed<NoEvents, SiteLines> {
        let source =
            SiteLines { feed: feed.to_owned(), lines: self.lines(feed), calls: self.calls.clone() };
        self.bellwire.layer().feed(Group::new(name(feed)), source)
    }

    /// Writes a line into a feed and publishes it.
    fn publish(&self, feed: &str, line: &str) {
        self.feed(feed).publish(self.lines(feed).write(line), Lines::patch(line));
    }

    /// Sends an unnumbered patch to every page that follows the feed.
    fn patch(&self, feed: &str, text: &str) {
        self.feed(feed).patch(Patch::inner("#n", Html::text(text)));
    }

    /// The position of a page that is at this number of a feed.
    fn at(&self, feed: &str, seq: Seq) -> String {
        format!("{feed}:{}.{seq}", self.bellwire.layer().epoch())
    }

    fn router(&self) -> Router {
        Router::new()
            .route("/live/", get(live))
            .route("/events/", get(events))
            .with_state(self.clone())
    }

    /// Sends a request through the router, without a network.
    async fn get(&self, path: &str, headers: &[(&str, &str)]) -> Response {
        let mut request = Request::get(path).header("accept", "text/event-stream");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.router().oneshot(request.body(Body::empty()).unwrap()).await.unwrap()
    }
}

impl FromRef<Site> for Bellwire {
    fn from_ref(site: &Site) -> Self {
        site.bellwire.clone()
    }
}

/// The lines of a feed, whose reads are recorded.
struct SiteLines {
    feed: String,
    lines: Lines,
    calls: mpsc::UnboundedSender<String>,
}

impl FeedSource for SiteLines {
    async fn catch_up(&self, since: Option<Seq>, audience: &str) -> Result<CatchUp, Error> {
        let _ = self.calls.send(format!("catch up {} {since:?}", self.feed));
        self.lines.catch_up(since, audience).await
    }
}

/// Follows the feeds that its query names.
struct Reader(Site);

impl Consumer for Reader {
    type Action = Frame;
    type Event = ();
    type Error = Error;

    async fn connect(&mut self, socket: &mut Socket<Self>) -> Result<(), Error> {
        let feeds: Vec<_> = socket.scope().query("feed").collect();
        for feed in feeds {
            socket.follow(&self.0.feed(&feed));
        }
        for text in socket.scope().query("greet").collect::<Vec<_>>() {
            socket.send_text(text).await?;
        }
        for bytes in socket.scope().query("bytes").collect::<Vec<_>>() {
            socket.send(Frame::Binary(bytes.into_bytes().into())).await?;
        }
        if socket.scope().query("refuse").next().is_some() {
            return Err(Error::refused("not today"));
        }
        let _ = self.0.calls.send("connect".into());
        Ok(())
    }

    async fn receive(&mut self, socket: &mut Socket<Self>, frame: Frame) -> Result<(), Error> {
        socket.send(frame).await
    }

    async fn disconnect(&mut self, _: &mut Socket<Self>, close: Close) {
        let _ = self.0.calls.send(format!("disconnect {}", close.code()));
    }
}

/// One path for sockets and event streams.
async fn live(State(site): State<Site>, live: Live) -> Response {
    let live = live.person("ada");
    match live.is_stream() {
        true => live.session("phone").run(Reader(site)),
        false => live.run(Reader(site)),
    }
}

/// Event streams only.
async fn events(State(site): State<Site>, stream: EventStream) -> Response {
    let live = stream.live();
    live.header("x-served-by".parse().unwrap(), "bellwire".parse().unwrap()).run(Reader(site))
}

fn name(feed: &str) -> GroupName {
    GroupName::new(feed).unwrap()
}

async fn start(bellwire: Bellwire) -> (Server, Site) {
    let (site, calls) = Site::new(bellwire.clone());
    (Server::serve(bellwire, calls, site.router()).await, site)
}

/// An event as a page's script receives it.
#[derive(Debug, Default, Clone, PartialEq)]
struct Event {
    name: String,
    data: String,
    /// The last event id, from this or an earlier event.
    id: String,
}

/// A parser of event streams as in the HTML standard (§9.2.6).
#[derive(Default)]
struct Parser {
    rest: String,
    event: Event,
    has_data: bool,
    comments: usize,
    retry: Option<u64>,
}

impl Parser {
    /// Appends received text. Returns the events that are now complete.
    fn read(&mut self, text: &str) -> Vec<Event> {
        self.rest.push_str(text);
        let mut events = Vec::new();
        while let Some((line, rest)) = self.rest.split_once('\n') {
            let (line, rest) = (line.to_owned(), rest.to_owned());
            assert!(!line.contains('\r'), "{line:?}");
            self.rest = rest;
            events.extend(self.line(&line));
        }
        events
    }

    fn line(&mut self, line: &str) -> Option<Event> {
        if line.is_empty() {
            let fresh = Event { id: self.event.id.clone(), ..Event::default() };
            let event = std::mem::replace(&mut self.event, fresh);
            return std::mem::take(&mut self.has_data).then_some(event);
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "" => self.comments += 1,
            "data" if self.has_data => self.event.data += &format!("\n{value}"),
            "data" => (self.event.data, self.has_data) = (value.to_owned(), true),
            "event" => value.clone_into(&mut self.event.name),
            "id" => value.clone_into(&mut self.event.id),
            "retry" => self.retry = Some(value.parse().unwrap()),
            other => panic!("unknown field: {other}"),
        }
        None
    }
}

/// A hand-written `EventSource` over HTTP/1.1 with chunked encoding.
struct Source {
    stream: TcpStream,
    head: String,
    parser: Parser,
    events: std::collections::VecDeque<Event>,
    chunks: usize,
}

impl Source {
    async fn open(server: &Server, path: &str, headers: &[(&str, &str)]) -> Self {
        let headers = [&[("Accept", "text/event-stream")], headers].concat();
        let (stream, head) = server.handshake(path, &headers).await;
        Self { stream, head, parser: Parser::default(), events: Default::default(), chunks: 0 }
    }

    /// Reconnects as a browser does after its page has handled all events.
    async fn reopen(self, server: &Server, path: &str) -> Self {
        assert!(self.events.is_empty(), "some events were not read");
        let id = self.parser.event.id;
        let header = [("Last-Event-ID", id.as_str())];
        let mut reopened =
            Self::open(server, path, if id.is_empty() { &[] } else { &header }).await;
        reopened.parser.event.id.clone_from(&id);
        reopened
    }

    /// The next event; `None` when the stream ended properly.
    async fn next(&mut self) -> Option<Event> {
        assert!(self.head.starts_with("HTTP/1.1 200"), "{}", self.head);
        within("an event, or the end", self.fill()).await;
        self.events.pop_front()
    }

    /// Reads until there is an event, or the end.
    async fn fill(&mut self) {
        while self.events.is_empty() {
            let Some(chunk) = self.chunk().await else { return };
            self.events.extend(self.parser.read(&chunk));
        }
    }

    async fn chunk(&mut self) -> Option<String> {
        let size = usize::from_str_radix(&self.line().await, 16).unwrap();
        let mut chunk = vec![0; size];
        self.stream.read_exact(&mut chunk).await.unwrap();
        assert_eq!(self.line().await, "");
        self.chunks += 1;
        (size > 0).then(|| String::from_utf8(chunk).expect("chunks end at events here"))
    }

    async fn line(&mut self) -> String {
        let mut line = Vec::new();
        while !line.ends_with(b"\r\n") {
            line.push(self.stream.read_u8().await.expect("the stream is open"));
        }
        String::from_utf8(line[..line.len() - 2].to_vec()).unwrap()
    }

    /// The HTML of the next patch.
    async fn html(&mut self) -> String {
        let event = self.next().await.expect("the stream is open");
        assert_eq!(event.name, "", "{event:?}");
        serde_json::from_str::<serde_json::Value>(&event.data).unwrap()["html"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    /// Reads the close of a restart, which says after how many milliseconds to return.
    async fn assert_closed_by_restart(&mut self) {
        let event = self.next().await.expect("a close event");
        assert_eq!(event.name, "close");
        let close: serde_json::Value = serde_json::from_str(&event.data).unwrap();
        assert_eq!(close["code"], 1012);
        let retry = close["reason"].as_str().unwrap().strip_prefix("retry=").unwrap();
        assert!(retry.parse::<u64>().unwrap() <= 60_000, "{retry}");
    }

    async fn assert_open(&mut self) -> &mut Self {
        let event = self.next().await;
        assert_eq!(event.map(|event| event.data).as_deref(), Some("open"));
        self
    }
}

/// An event stream without a network, so that tests can pause time.
struct Page {
    body: BodyDataStream,
    parser: Parser,
}

impl Page {
    async fn open(site: &Site, path: &str) -> Self {
        let response = site.get(path, &[]).await;
        assert_eq!(response.status(), 200);
        Self { body: response.into_body().into_data_stream(), parser: Parser::default() }
    }

    async fn chunk(&mut self) -> Option<Vec<Event>> {
        let chunk = eventually("a chunk, or the end", self.body.next()).await?.unwrap();
        Some(self.parser.read(std::str::from_utf8(&chunk).unwrap()))
    }
}

#[tokio::test]
async fn the_response_is_an_event_stream_that_is_neither_cached_nor_buffered() {
    let (server, _) = start(bellwire()).await;
    let mut source = Source::open(&server, "/events/?greet=Hello", &[]).await;
    let head = source.head.to_ascii_lowercase();
    for line in [
        "http/1.1 200",
        "content-type: text/event-stream\r\n",
        "cache-control: no-cache, no-store\r\n",
        "x-accel-buffering: no\r\n",
        "x-served-by: bellwire\r\n",
    ] {
        assert!(head.contains(line), "{line} in {head}");
    }
    assert!(!head.contains("content-encoding"), "{head}");
    assert_eq!(source.next().await, Some(Event { data: "Hello".into(), ..Event::default() }));
    let retry = source.parser.retry.expect("a delay for the reconnect");
    assert!((1_000..3_000).contains(&retry), "{retry}");
}

#[tokio::test]
async fn one_path_serves_sockets_and_streams_by_the_accept_header() {
    let (server, _) = start(bellwire()).await;
    let (_, head) = server.handshake("/live/", HANDSHAKE).await;
    assert!(head.starts_with("HTTP/1.1 101"), "{head}");
    for accept in [
        "text/event-stream",
        "text/html, Text/Event-Stream;q=0.5",
        "text/event-stream;charset=utf-8",
    ] {
        let (_, head) = server.handshake("/live/", &[("Accept", accept)]).await;
        assert!(head.starts_with("HTTP/1.1 200"), "{accept}: {head}");
    }
    for (path, accept, status) in [
        ("/live/", "text/html", 426),
        ("/live/", "*/*", 426),
        ("/events/", "text/html", 406),
        ("/events/", "text/event-streams", 406),
        ("/live/?dialect=klingon", "text/event-stream", 400),
    ] {
        let (_, head) = server.handshake(path, &[("Accept", accept)]).await;
        assert_eq!(&head[9..12], status.to_string(), "{path} {accept}");
    }
}

#[tokio::test]
async fn every_hostile_origin_is_refused_before_the_stream() {
    let (server, _) = start(bellwire()).await;
    let own_origin = ("Origin", "http://127.0.0.1:8000");
    let cookie = ("Cookie", "session=1");
    for (headers, status) in [
        (vec![("Sec-Fetch-Site", "same-origin"), cookie], 200),
        (vec![own_origin, cookie], 200),
        (vec![], 200),
        (vec![cookie], 403),
        (vec![("Sec-Fetch-Site", "cross-site"), cookie], 403),
        (vec![("Sec-Fetch-Site", "cross-site")], 403),
        (vec![("Sec-Fetch-Site", "same-site"), cookie], 403),
        (vec![("Sec-Fetch-Site", "none"), cookie], 403),
        (vec![("Origin", "https://evil.example"), cookie], 403),
        (vec![("Origin", "https://evil.example"), ("Sec-Fetch-Site", "same-origin")], 403),
        (vec![("Origin", "null"), cookie], 403),
    ] {
        for path in ["/live/", "/events/"] {
            let source = Source::open(&server, path, &headers).await;
            assert_eq!(&source.head[9..12], status.to_string(), "{path} {headers:?}");
        }
    }
}

#[tokio::test]
async fn a_page_whose_origin_is_refused_for_sockets_gets_a_notice_for_its_developer() {
    let (server, _) = start(bellwire()).await;
    let own_page = [("Sec-Fetch-Site", "same-origin"), ("Cookie", "session=1")];
    let path = |origin| format!("/live/?greet=open&origin={origin}");
    let evil = path("https%3A%2F%2Fevil.example");
    let mut source = Source::open(&server, &evil, &own_page).await;
    let notice = source.next().await.unwrap();
    assert_eq!(notice.name, "notice");
    let notice: serde_json::Value = serde_json::from_str(&notice.data).unwrap();
    let message = notice["message"].as_str().unwrap();
    for part in ["`https://evil.example`", "Bellwire::builder(…).origin(…)"] {
        assert!(message.contains(part), "{part} in {message}");
    }
    source.assert_open().await;
    let allowed = path("http%3A%2F%2F127.0.0.1%3A8000");
    Source::open(&server, &allowed, &own_page).await.assert_open().await;
}

#[tokio::test]
async fn a_numbered_change_carries_the_position_of_every_feed_and_other_frames_carry_none() {
    let (server, site) = start(bellwire()).await;
    site.publish("a", "a1");
    let mut source = Source::open(&server, "/live/?feed=a&feed=b&greet=open", &[]).await;
    let opened = source.next().await.unwrap();
    assert_eq!((opened.data.as_str(), opened.id.as_str()), ("open", ""));
    let caught_up = source.next().await.unwrap();
    assert!(caught_up.data.contains("\"a1\"") && caught_up.id == site.at("a", 1), "{caught_up:?}");
    site.patch("a", "unnumbered");
    let unnumbered = source.next().await.unwrap();
    // `b` had no changes. Its position arrived in an event without data, which scripts do not
    // receive.
    let id = |a, b| format!("{},{}", site.at("a", a), site.at("b", b));
    assert!(unnumbered.data.contains("unnumbered") && unnumbered.id == id(1, 0), "{unnumbered:?}");
    for (feed, a, b) in [("b", 1, 1), ("a", 2, 1), ("a", 3, 1)] {
        site.publish(feed, "x");
        assert_eq!(source.next().await.unwrap().id, id(a, b));
    }
}

#[tokio::test]
async fn one_event_id_resumes_every_feed_wherever_the_stream_is_cut() {
    const CHANGES: usize = 300;
    let feeds = ["a", "b", "c"];
    let (server, site) = start(bellwire()).await;
    let since = feeds.map(|feed| format!("feed={feed}&since={}", site.at(feed, 0)));
    let path = &format!("/live/?{}", since.join("&"));
    let publisher = tokio::spawn({
        let site = site.clone();
        async move {
            for change in 0..CHANGES {
                // Not round-robin, so that the feeds advance at different speeds.
                let feed = feeds[(change * change + change / 7) % 3];
                site.publish(feed, &format!("{feed} {change}"));
                tokio::task::yield_now().await;
            }
        }
    });
    let mut source = Source::open(&server, path, &[]).await;
    let (mut received, mut cuts): (Vec<String>, usize) = (Vec::new(), 0);
    while received.len() < CHANGES {
        // Cuts the stream at a different place each time, also right after it was opened.
        let until = CHANGES.min(received.len() + cuts % 11);
        while received.len() < until || !source.events.is_empty() {
            received.push(source.html().await);
        }
        source = source.reopen(&server, path).await;
        cuts += 1;
    }
    assert!(cuts > 10, "{cuts}");
    publisher.await.unwrap();
    for feed in feeds {
        let lines = received.iter().filter(|line| line.starts_with(feed)).cloned();
        let truth = site.lines(feed).catch_up(None, "").await.unwrap().patches.len();
        let expected =
            (0..CHANGES).filter(|change| feeds[(change * change + change / 7) % 3] == feed);
        assert_eq!(expected.clone().count(), truth);
        assert!(
            lines.eq(expected.map(|change| format!("{feed} {change}"))),
            "{feed}: {received:?}"
        );
    }
}

#[tokio::test]
async fn the_last_event_id_overrides_since_and_an_invalid_one_gives_no_position() {
    let (mut server, site) = start(bellwire()).await;
    let unknown = Epoch::random();
    // Each case has its own feed, since pages at the same position share one read.
    for (feed, last_event_id, since, first) in [
        ("a", site.at("a", 2), "Some(2)", "three"),
        ("b", site.at("b", 0), "Some(0)", "one"),
        ("c", String::new(), "Some(1)", "two"),
        ("d", "d:two".into(), "None", "one"),
        ("e", "\u{fc}\u{201c}".into(), "None", "one"),
        ("f", "f:2".into(), "None", "one"),
        ("g", format!("g:{unknown}.2"), "None", "one"),
    ] {
        for line in ["one", "two", "three"] {
            site.publish(feed, line);
        }
        let path = format!("/live/?feed={feed}&since={}", site.at(feed, 1));
        let headers = [("Last-Event-ID", last_event_id.as_str())];
        let mut source = Source::open(&server, &path, &headers).await;
        server.wait_for_call(&format!("catch up {feed} {since}")).await;
        assert_eq!(source.html().await, first, "{last_event_id:?}");
    }
}

#[tokio::test]
async fn multi_line_html_and_unusual_characters_arrive_unchanged() {
    let (server, site) = start(bellwire()).await;
    let mut source = Source::open(&server, "/live/?feed=a&dialect=htmx&greet=open", &[]).await;
    source.assert_open().await;
    let html = "<pre>\none\u{2028}still one\n\n  three: id: 7\u{2029}\u{85}\u{b}\0\n</pre>";
    site.feed("a").patch(Patch::inner("#n", Html::trusted(html)));
    let event = source.next().await.unwrap();
    assert_eq!(event.data, format!("<div hx-swap-oob=\"innerHTML:#n\">{html}</div>"));
    let crs = Html::trusted("<i>a\rb\r\nc</i>");
    site.feed("a").patch(Patch::inner("#n", crs));
    assert!(
        source.next().await.unwrap().data.contains("<i>a\nb\nc</i>"),
        "an HTML parser reads it the same way"
    );
}

#[tokio::test]
async fn bytes_are_sent_as_a_binary_event_in_base64() {
    let (server, _) = start(bellwire()).await;
    let mut source = Source::open(&server, "/live/?bytes=%01%02%03", &[]).await;
    let event = source.next().await.unwrap();
    assert_eq!((event.name.as_str(), event.data.as_str()), ("binary", "AQID"));
}

#[tokio::test]
async fn a_kick_a_removal_and_a_refusal_send_a_close_event_and_end_the_stream() {
    let (mut server, site) = start(bellwire()).await;
    let layer = server.bellwire.layer().clone();
    let close = |reason: &str| format!("{{\"code\":1008,\"reason\":\"{reason}\"}}");
    let kicks: [(&dyn Fn(), &str); 3] = [
        (&|| layer.kick_person("ada", Close::policy("deactivated")), "deactivated"),
        (&|| layer.kick_session("phone", Close::policy("signed out")), "signed out"),
        (&|| layer.remove_person("ada", name("a")), "removed"),
    ];
    for (kick, reason) in kicks {
        let mut source = Source::open(&server, "/live/?feed=a&greet=open", &[]).await;
        source.assert_open().await;
        kick();
        site.patch("a", "too late");
        let event = source.next().await.unwrap();
        assert_eq!((event.name.as_str(), event.data), ("close", close(reason)));
        assert_eq!(source.next().await, None, "the stream ends");
        server.wait_for_call("disconnect 1008").await;
    }
    let mut source = Source::open(&server, "/live/?refuse", &[]).await;
    assert_eq!(source.next().await.unwrap().data, close("not today"));
    assert_eq!(source.next().await, None);
    assert_eq!(layer.local_sockets(), 0);
}

#[tokio::test]
async fn a_shutdown_ends_streams_with_a_close_event_that_says_when_to_reconnect() {
    let (mut server, site) = start(bellwire()).await;
    let mut source = Source::open(&server, "/live/?feed=a&greet=open", &[]).await;
    source.assert_open().await;
    let stopping = server.bellwire.clone();
    let stopped = tokio::spawn(async move { stopping.shutdown(PATIENCE).await });
    source.assert_closed_by_restart().await;
    assert_eq!(source.next().await, None, "the stream ends");
    assert!(stopped.await.unwrap());
    server.wait_for_call("disconnect 1012").await;
    // An `EventSource` does not reconnect after a 503.
    let late = site.get("/live/?feed=a", &[]).await;
    assert_eq!(late.status(), 200);
    let body = within("the body", axum::body::to_bytes(late.into_body(), 100)).await.unwrap();
    assert!(body.starts_with(b"retry: ") && body.ends_with(b"\n\n"), "{body:?}");
    assert_eq!(site.bellwire.layer().local_sockets(), 0);
}

#[tokio::test]
async fn a_closed_stream_is_disconnected_at_once() {
    let (mut server, _) = start(bellwire()).await;
    let mut source = Source::open(&server, "/live/?greet=open", &[]).await;
    source.assert_open().await;
    drop(source);
    server.wait_for_call("disconnect 1006").await;
    assert_eq!(server.bellwire.layer().local_sockets(), 0);
}

#[tokio::test]
async fn a_stream_counts_toward_the_limit_of_sockets() {
    let limits = Limits { sockets_per_person: 2, ..Limits::default() };
    let (mut server, site) = start(with_limits(limits)).await;
    let _socket = server.handshake("/live/", HANDSHAKE).await;
    let first = Source::open(&server, "/live/?greet=open", &[]).await;
    for _ in 0..2 {
        server.wait_for_call("connect").await;
    }
    let refused = Source::open(&server, "/live/", &[]).await;
    assert!(refused.head.starts_with("HTTP/1.1 429"), "{}", refused.head);
    let (_, head) = server.handshake("/live/", HANDSHAKE).await;
    assert!(head.starts_with("HTTP/1.1 429"), "{head}");
    drop(first);
    server.wait_for_call("disconnect 1006").await;
    Source::open(&server, "/live/?greet=open", &[]).await.assert_open().await;

    let response = site.get("/live/", &[]).await;
    assert_eq!(response.status(), 429, "the limit counts a stream before it is read");
}

#[tokio::test]
async fn a_stream_kicked_before_its_response_is_sent_receives_only_the_close() {
    let (site, mut calls) = Site::new(bellwire());
    let response = site.get("/live/?feed=a&greet=open", &[]).await;
    site.bellwire.layer().kick_person("ada", Close::policy("signed out"));
    let mut page =
        Page { body: response.into_body().into_data_stream(), parser: Parser::default() };
    let mut received = Vec::new();
    let receive = async {
        while let Some(events) = page.chunk().await {
            received.extend(events);
        }
    };
    within("the end of the stream", receive).await;
    assert_eq!(received.len(), 1, "{received:?}");
    assert_eq!(received[0].data, "{\"code\":1008,\"reason\":\"signed out\"}");
    assert!(calls.try_recv().is_err(), "no handler of the consumer ran");
}

#[tokio::test]
async fn all_queued_messages_of_a_stream_are_sent_in_one_chunk() {
    let (server, site) = start(bellwire()).await;
    let mut source = Source::open(&server, "/live/?feed=a&greet=open", &[]).await;
    source.assert_open().await;
    // The test's runtime has one thread, so the connection's event loop does not run between these.
    (0..100).for_each(|i| site.patch("a", &i.to_string()));
    let before = source.chunks;
    for i in 0..100 {
        assert_eq!(source.html().await, i.to_string());
    }
    assert_eq!(source.chunks - before, 1);
}

#[tokio::test(start_paused = true)]
async fn a_silent_reader_that_reads_heartbeats_stays_connected() {
    let (site, mut calls) = Site::new(bellwire());
    let mut page = Page::open(&site, "/live/?feed=a").await;
    let opened = tokio::time::Instant::now();
    while opened.elapsed() < Duration::from_secs(3600) {
        assert_eq!(page.chunk().await, Some(vec![]), "only heartbeats");
    }
    assert!(page.parser.comments >= 3600 / 60, "often enough for proxies that cut after 60 s");
    site.patch("a", "still here");
    let event = page.chunk().await.unwrap();
    assert!(event[0].data.contains("still here"), "{event:?}");
    drop(page);
    wait_for_call(&mut calls, "disconnect 1006").await;
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_reads_no_heartbeat_is_disconnected() {
    let (site, mut calls) = Site::new(bellwire());
    let mut page = Page::open(&site, "/live/?feed=a").await;
    while page.body.next().now_or_never().is_some() {}
    wait_for_call(&mut calls, "disconnect 1013").await;
    assert!(site.bellwire.shutdown(PATIENCE).await, "no task is left");
    let rest: Vec<_> = within("the end of the body", page.body.collect()).await;
    assert!(rest.last().unwrap().is_err(), "the body ends with an error: {rest:?}");
}

#[tokio::test]
async fn a_lagging_reader_catches_up_and_misses_nothing() {
    const CHANGES: usize = 200;
    let limits = Limits { queue_messages: 8, ..Limits::default() };
    let (mut server, site) = start(with_limits(limits)).await;
    let path = format!("/live/?feed=a&since={}", site.at("a", 0));
    let mut source = Source::open(&server, &path, &[]).await;
    server.wait_for_call("catch up a Some(0)").await;
    // More than the kernel buffers for a client that does not read.
    let text = "x".repeat(60_000);
    for change in 0..CHANGES {
        site.publish("a", &format!("{change} {text}"));
        tokio::task::yield_now().await;
    }
    assert!(site.bellwire.layer().counts().overflows > 0, "the client lags behind");
    for change in 0..CHANGES {
        let html = source.html().await;
        assert_eq!(html.split_once(' ').unwrap().0, change.to_string());
    }
    site.publish("a", "on");
    assert_eq!(source.html().await, "on");
}

#[tokio::test]
async fn a_reader_that_never_reads_is_disconnected_without_affecting_others() {
    let limits = Limits { write: Duration::from_secs(1), queue_messages: 64, ..Limits::default() };
    let (mut server, site) = start(with_limits(limits)).await;
    let stuck = Source::open(&server, "/live/?feed=a", &[]).await;
    server.wait_for_call("connect").await;
    let mut reader = Source::open(&server, "/live/?feed=a&greet=open", &[]).await;
    reader.assert_open().await;
    let text = "x".repeat(60_000);
    let mut received = 0;
    let publish = async {
        while server.bellwire.layer().local_members(name("a")) == 2 {
            site.patch("a", &text);
            assert!(reader.html().await.starts_with("xxx"), "the other reader is not affected");
            received += 1;
        }
    };
    eventually("the end of the stuck reader", publish).await;
    assert!(received > 10, "{received}");
    server.wait_for_call("disconnect 1013").await;
    drop(stuck);
}

#[tokio::test]
async fn a_kick_closes_both_the_socket_and_the_stream_of_a_person() {
    let (mut server, _) = start(bellwire()).await;
    let (mut socket, _) = server.handshake("/live/", HANDSHAKE).await;
    let mut source = Source::open(&server, "/live/?greet=open", &[]).await;
    source.assert_open().await;
    server.wait_for_call("connect").await;
    server.bellwire.layer().kick_person("ada", Close::policy("deactivated"));
    assert_eq!(read_close(&mut socket).await, (1008, "deactivated".to_owned()));
    socket.shutdown().await.unwrap();
    assert_eq!(source.next().await.unwrap().name, "close");
}
