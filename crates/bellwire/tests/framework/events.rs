//! Streams of events: the same promises as over sockets, one way.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, BodyDataStream};
use axum::extract::{FromRef, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use bellwire::testing::{PATIENCE, within};
use bellwire::{
    Bellwire, CatchUp, Close, Consumer, Error, EventStream, Frame, GroupName, Html, Limits, Patch,
    Seq, Socket, Upgrade, UpgradeRejection,
};
use futures_util::{FutureExt, StreamExt};
use http::Request;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tower::ServiceExt;

use crate::support::{
    HANDSHAKE, Lines, Server, bellwire, noted, read_close, some_day, with_limits,
};

/// The truth of several feeds.
#[derive(Clone)]
struct Papers {
    bellwire: Bellwire,
    lines: Arc<Mutex<HashMap<GroupName, Lines>>>,
    diary: mpsc::UnboundedSender<String>,
}

impl Papers {
    fn new(bellwire: Bellwire) -> (Self, mpsc::UnboundedReceiver<String>) {
        let (diary, pages) = mpsc::unbounded_channel();
        (Self { bellwire, lines: Arc::default(), diary }, pages)
    }

    fn of(&self, feed: &GroupName) -> Lines {
        self.lines.lock().unwrap().entry(feed.clone()).or_default().clone()
    }

    /// Writes a line into a feed and publishes it.
    fn publish(&self, feed: &str, line: &str) -> Seq {
        let feed = name(feed);
        let seq = self.of(&feed).write(line);
        self.bellwire.layer().group::<()>(feed).publish(seq, Lines::patch(line));
        seq
    }

    /// Changes every page that follows the feed, without a number.
    fn patch(&self, feed: &str, words: &str) {
        self.bellwire.layer().group::<()>(name(feed)).patch(Patch::inner("#n", Html::text(words)));
    }

    fn router(&self) -> Router {
        Router::new()
            .route("/live/", get(live))
            .route("/events/", get(events))
            .with_state(self.clone())
    }

    /// Asks without a network in between.
    async fn ask(&self, path: &str, headers: &[(&str, &str)]) -> Response {
        let mut request = Request::get(path).header("accept", "text/event-stream");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.router().oneshot(request.body(Body::empty()).unwrap()).await.unwrap()
    }
}

impl FromRef<Papers> for Bellwire {
    fn from_ref(papers: &Papers) -> Self {
        papers.bellwire.clone()
    }
}

/// Follows the feeds that its address names.
struct Reader(Papers);

impl Consumer for Reader {
    type Action = Frame;
    type Event = ();

    async fn connect(&mut self, socket: &mut Socket) -> Result<(), Error> {
        let feeds: Vec<_> = socket.scope().query("feed").collect();
        for feed in feeds {
            socket.follow(&socket.layer().group::<()>(name(&feed)));
        }
        for words in socket.scope().query("greet").collect::<Vec<_>>() {
            socket.send_text(words).await?;
        }
        for words in socket.scope().query("bytes").collect::<Vec<_>>() {
            socket.send(Frame::Binary(words.into_bytes().into())).await?;
        }
        if socket.scope().query("refuse").next().is_some() {
            return Err(Error::refused("not today"));
        }
        let _ = self.0.diary.send("connect".into());
        Ok(())
    }

    async fn receive(&mut self, socket: &mut Socket, frame: Frame) -> Result<(), Error> {
        socket.send(frame).await
    }

    async fn catch_up(
        &mut self,
        _: &mut Socket,
        feed: &GroupName,
        since: Option<Seq>,
    ) -> Result<CatchUp, Error> {
        let _ = self.0.diary.send(format!("catch up {feed} {since:?}"));
        Ok(self.0.of(feed).after(since))
    }

    async fn disconnect(&mut self, _: &mut Socket, close: Close) {
        let _ = self.0.diary.send(format!("disconnect {}", close.code()));
    }
}

/// One address for both.
async fn live(
    State(papers): State<Papers>,
    stream: Option<EventStream>,
    upgrade: Result<Upgrade, UpgradeRejection>,
) -> Response {
    match (stream, upgrade) {
        (Some(stream), _) => stream.person("ada").session("phone").run(Reader(papers)),
        (None, Ok(upgrade)) => upgrade.person("ada").run(Reader(papers)),
        (None, Err(refused)) => refused.into_response(),
    }
}

/// Events and nothing else.
async fn events(State(papers): State<Papers>, stream: EventStream) -> Response {
    stream.header("x-served-by".parse().unwrap(), "bellwire".parse().unwrap()).run(Reader(papers))
}

fn name(feed: &str) -> GroupName {
    GroupName::new(feed).unwrap()
}

async fn start(bellwire: Bellwire) -> (Server, Papers) {
    let (papers, pages) = Papers::new(bellwire.clone());
    (Server::serve(bellwire, pages, papers.router()).await, papers)
}

/// What a page's script would hear.
#[derive(Debug, Default, Clone, PartialEq)]
struct Event {
    name: String,
    data: String,
    /// The last event id, from this or an earlier event.
    id: String,
}

/// Reads the event stream as the HTML standard says (§9.2.6).
#[derive(Default)]
struct Interpreter {
    rest: String,
    event: Event,
    has_data: bool,
    comments: usize,
    retry: Option<u64>,
}

impl Interpreter {
    /// Takes what came; returns the events that are whole.
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
            other => panic!("no such field: {other}"),
        }
        None
    }
}

/// A hand-written `EventSource`: HTTP/1.1, chunks, events.
struct Source {
    stream: TcpStream,
    head: String,
    interpreter: Interpreter,
    events: std::collections::VecDeque<Event>,
    chunks: usize,
}

impl Source {
    async fn open(server: &Server, path: &str, headers: &[(&str, &str)]) -> Self {
        let headers = [&[("Accept", "text/event-stream")], headers].concat();
        let (stream, head) = server.shake(path, &headers).await;
        Self {
            stream,
            head,
            interpreter: Interpreter::default(),
            events: Default::default(),
            chunks: 0,
        }
    }

    /// Opens again as a browser does, which has told its page of everything that came.
    async fn reopen(self, server: &Server, path: &str) -> Self {
        assert!(self.events.is_empty(), "some were not looked at");
        let id = self.interpreter.event.id;
        let last = [("Last-Event-ID", id.as_str())];
        let mut again = Self::open(server, path, if id.is_empty() { &[] } else { &last }).await;
        again.interpreter.event.id.clone_from(&id);
        again
    }

    /// The next event; `None` when the stream ended as it should.
    async fn next(&mut self) -> Option<Event> {
        assert!(self.head.starts_with("HTTP/1.1 200"), "{}", self.head);
        within("an event, or the end", self.listen()).await;
        self.events.pop_front()
    }

    /// Reads until there is an event, or the end.
    async fn listen(&mut self) {
        while self.events.is_empty() {
            let Some(chunk) = self.chunk().await else { return };
            self.events.extend(self.interpreter.read(&chunk));
        }
    }

    async fn chunk(&mut self) -> Option<String> {
        let size = usize::from_str_radix(&self.line().await, 16).unwrap();
        let mut chunk = vec![0; size];
        self.stream.read_exact(&mut chunk).await.unwrap();
        assert_eq!(self.line().await, "");
        self.chunks += 1;
        (size > 0).then(|| String::from_utf8(chunk).expect("pieces end at events here"))
    }

    async fn line(&mut self) -> String {
        let mut line = Vec::new();
        while !line.ends_with(b"\r\n") {
            line.push(self.stream.read_u8().await.expect("the stream goes on"));
        }
        String::from_utf8(line[..line.len() - 2].to_vec()).unwrap()
    }

    /// The words of the next patch.
    async fn words(&mut self) -> String {
        let event = self.next().await.expect("the stream goes on");
        assert_eq!(event.name, "", "{event:?}");
        serde_json::from_str::<serde_json::Value>(&event.data).unwrap()["html"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    async fn is_open(&mut self) -> &mut Self {
        let event = self.next().await;
        assert_eq!(event.map(|event| event.data).as_deref(), Some("open"));
        self
    }
}

/// The same without a network, so that time may stand still.
struct Page {
    body: BodyDataStream,
    interpreter: Interpreter,
}

impl Page {
    async fn open(papers: &Papers, path: &str) -> Self {
        let response = papers.ask(path, &[]).await;
        assert_eq!(response.status(), 200);
        Self { body: response.into_body().into_data_stream(), interpreter: Interpreter::default() }
    }

    async fn piece(&mut self) -> Option<Vec<Event>> {
        let piece = some_day("a sign of life, or the end", self.body.next()).await?.unwrap();
        Some(self.interpreter.read(std::str::from_utf8(&piece).unwrap()))
    }
}

#[tokio::test]
async fn the_answer_is_an_event_stream_that_nobody_keeps_back() {
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
    let retry = source.interpreter.retry.expect("a time to come back");
    assert!((1_000..3_000).contains(&retry), "{retry}");
}

#[tokio::test]
async fn one_address_serves_sockets_and_streams_by_what_is_accepted() {
    let (server, _) = start(bellwire()).await;
    let (_, head) = server.shake("/live/", HANDSHAKE).await;
    assert!(head.starts_with("HTTP/1.1 101"), "{head}");
    for accept in [
        "text/event-stream",
        "text/html, Text/Event-Stream;q=0.5",
        "text/event-stream;charset=utf-8",
    ] {
        let (_, head) = server.shake("/live/", &[("Accept", accept)]).await;
        assert!(head.starts_with("HTTP/1.1 200"), "{accept}: {head}");
    }
    for (path, accept, status) in [
        ("/live/", "text/html", 426),
        ("/live/", "*/*", 426),
        ("/events/", "text/html", 406),
        ("/events/", "text/event-streams", 406),
        ("/live/?dialect=klingon", "text/event-stream", 400),
    ] {
        let (_, head) = server.shake(path, &[("Accept", accept)]).await;
        assert_eq!(&head[9..12], status.to_string(), "{path} {accept}");
    }
}

#[tokio::test]
async fn every_hostile_origin_is_refused_before_the_stream() {
    let (server, _) = start(bellwire()).await;
    let ours = ("Origin", "http://127.0.0.1:8000");
    let cookie = ("Cookie", "session=1");
    for (headers, status) in [
        (vec![("Sec-Fetch-Site", "same-origin"), cookie], 200),
        (vec![ours, cookie], 200),
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
async fn a_numbered_change_carries_the_position_of_every_feed_and_others_carry_none() {
    let (server, papers) = start(bellwire()).await;
    papers.publish("a", "a1");
    let mut source = Source::open(&server, "/live/?feed=a&feed=b&greet=open", &[]).await;
    let opened = source.next().await.unwrap();
    assert_eq!((opened.data.as_str(), opened.id.as_str()), ("open", ""));
    let caught_up = source.next().await.unwrap();
    assert!(caught_up.data.contains("\"a1\"") && caught_up.id == "a:1", "{caught_up:?}");
    papers.patch("a", "unnumbered");
    let unnumbered = source.next().await.unwrap();
    // There was nothing to show of `b`: its position came in an event of its own that no script
    // hears.
    assert!(unnumbered.data.contains("unnumbered") && unnumbered.id == "a:1,b:0", "{unnumbered:?}");
    for (feed, id) in [("b", "a:1,b:1"), ("a", "a:2,b:1"), ("a", "a:3,b:1")] {
        papers.publish(feed, "x");
        assert_eq!(source.next().await.unwrap().id, id);
    }
}

#[tokio::test]
async fn one_id_resumes_every_feed_wherever_the_stream_is_cut() {
    const CHANGES: usize = 300;
    let feeds = ["a", "b", "c"];
    let (server, papers) = start(bellwire()).await;
    let path = "/live/?feed=a&feed=b&feed=c&since=a:0&since=b:0&since=c:0";
    let publisher = tokio::spawn({
        let papers = papers.clone();
        async move {
            for change in 0..CHANGES {
                // Not in turns, so that the feeds move at different paces.
                let feed = feeds[(change * change + change / 7) % 3];
                papers.publish(feed, &format!("{feed} {change}"));
                tokio::task::yield_now().await;
            }
        }
    });
    let mut source = Source::open(&server, path, &[]).await;
    let (mut heard, mut cuts): (Vec<String>, usize) = (Vec::new(), 0);
    while heard.len() < CHANGES {
        // Somewhere else in the stream each time: also right after it was opened.
        let until = CHANGES.min(heard.len() + cuts % 11);
        while heard.len() < until || !source.events.is_empty() {
            heard.push(source.words().await);
        }
        source = source.reopen(&server, path).await;
        cuts += 1;
    }
    assert!(cuts > 10, "{cuts}");
    publisher.await.unwrap();
    for feed in feeds {
        let lines = heard.iter().filter(|line| line.starts_with(feed)).cloned();
        let truth = papers.of(&name(feed)).after(None).patches.len();
        let expected =
            (0..CHANGES).filter(|change| feeds[(change * change + change / 7) % 3] == feed);
        assert_eq!(expected.clone().count(), truth);
        assert!(lines.eq(expected.map(|change| format!("{feed} {change}"))), "{feed}: {heard:?}");
    }
}

#[tokio::test]
async fn the_last_event_id_outranks_the_address_and_a_garbled_one_is_none() {
    let (mut server, papers) = start(bellwire()).await;
    for line in ["one", "two", "three"] {
        papers.publish("a", line);
    }
    for (last, since, first) in [
        ("a:2", "Some(2)", "three"),
        ("a:0", "Some(0)", "one"),
        ("", "Some(1)", "two"),
        ("a:two", "None", "one"),
        ("\u{fc}\u{201c}", "None", "one"),
    ] {
        let headers = [("Last-Event-ID", last)];
        let mut source = Source::open(&server, "/live/?feed=a&since=a:1", &headers).await;
        server.noted(&format!("catch up a {since}")).await;
        assert_eq!(source.words().await, first, "{last:?}");
    }
}

#[tokio::test]
async fn html_of_several_lines_and_odd_characters_arrives_as_it_was() {
    let (server, papers) = start(bellwire()).await;
    let mut source = Source::open(&server, "/live/?feed=a&dialect=htmx&greet=open", &[]).await;
    source.is_open().await;
    let html = "<pre>\none\u{2028}still one\n\n  three: id: 7\u{2029}\u{85}\u{b}\0\n</pre>";
    papers.bellwire.layer().group::<()>(name("a")).patch(Patch::inner("#n", Html::trusted(html)));
    let event = source.next().await.unwrap();
    assert_eq!(event.data, format!("<div hx-swap-oob=\"innerHTML:#n\">{html}</div>"));
    let crs = Html::trusted("<i>a\rb\r\nc</i>");
    papers.bellwire.layer().group::<()>(name("a")).patch(Patch::inner("#n", crs));
    assert!(
        source.next().await.unwrap().data.contains("<i>a\nb\nc</i>"),
        "as an HTML parser reads it anyway"
    );
}

#[tokio::test]
async fn bytes_are_an_event_of_their_own_in_base64() {
    let (server, _) = start(bellwire()).await;
    let mut source = Source::open(&server, "/live/?bytes=%01%02%03", &[]).await;
    let event = source.next().await.unwrap();
    assert_eq!((event.name.as_str(), event.data.as_str()), ("binary", "AQID"));
}

#[tokio::test]
async fn a_kick_an_expulsion_and_a_refusal_are_told_and_end_the_stream() {
    let (mut server, papers) = start(bellwire()).await;
    let layer = server.bellwire.layer().clone();
    let told = |reason: &str| format!("{{\"code\":1008,\"reason\":\"{reason}\"}}");
    let kicks: [(&dyn Fn(), &str); 3] = [
        (&|| layer.kick_person("ada", Close::policy("deactivated")), "deactivated"),
        (&|| layer.kick_session("phone", Close::policy("signed out")), "signed out"),
        (&|| layer.remove_person("ada", &name("a")), "removed"),
    ];
    for (kick, reason) in kicks {
        let mut source = Source::open(&server, "/live/?feed=a&greet=open", &[]).await;
        source.is_open().await;
        kick();
        papers.patch("a", "too late");
        let event = source.next().await.unwrap();
        assert_eq!((event.name.as_str(), event.data), ("close", told(reason)));
        assert_eq!(source.next().await, None, "and the stream ends");
        server.noted("disconnect 1008").await;
    }
    let mut source = Source::open(&server, "/live/?refuse", &[]).await;
    assert_eq!(source.next().await.unwrap().data, told("not today"));
    assert_eq!(source.next().await, None);
    assert_eq!(layer.local_sockets(), 0);
}

#[tokio::test]
async fn a_stop_ends_streams_without_a_word_so_that_browsers_come_back() {
    let (mut server, papers) = start(bellwire()).await;
    let mut source = Source::open(&server, "/live/?feed=a&greet=open", &[]).await;
    source.is_open().await;
    let stopping = server.bellwire.clone();
    let stopped = tokio::spawn(async move { stopping.shutdown(PATIENCE).await });
    assert_eq!(source.next().await, None);
    assert!(stopped.await.unwrap());
    server.noted("disconnect 1012").await;
    // An `EventSource` gives up upon a 503.
    let late = papers.ask("/live/?feed=a", &[]).await;
    assert_eq!(late.status(), 200);
    let wish = within("the end of it", axum::body::to_bytes(late.into_body(), 100)).await.unwrap();
    assert!(wish.starts_with(b"retry: ") && wish.ends_with(b"\n\n"), "{wish:?}");
    assert_eq!(papers.bellwire.layer().local_sockets(), 0);
}

#[tokio::test]
async fn who_goes_is_gone_at_once() {
    let (mut server, _) = start(bellwire()).await;
    let mut source = Source::open(&server, "/live/?greet=open", &[]).await;
    source.is_open().await;
    drop(source);
    server.noted("disconnect 1006").await;
    assert_eq!(server.bellwire.layer().local_sockets(), 0);
}

#[tokio::test]
async fn a_stream_counts_like_a_socket() {
    let limits = Limits { sockets_per_person: 2, ..Limits::default() };
    let (mut server, papers) = start(with_limits(limits)).await;
    let _socket = server.shake("/live/", HANDSHAKE).await;
    let first = Source::open(&server, "/live/?greet=open", &[]).await;
    for _ in 0..2 {
        server.noted("connect").await;
    }
    let refused = Source::open(&server, "/live/", &[]).await;
    assert!(refused.head.starts_with("HTTP/1.1 429"), "{}", refused.head);
    let (_, head) = server.shake("/live/", HANDSHAKE).await;
    assert!(head.starts_with("HTTP/1.1 429"), "{head}");
    drop(first);
    server.noted("disconnect 1006").await;
    Source::open(&server, "/live/?greet=open", &[]).await.is_open().await;

    let promised = papers.ask("/live/", &[]).await;
    assert_eq!(promised.status(), 429, "one more, though nobody reads it yet");
}

#[tokio::test]
async fn who_is_kicked_before_the_response_leaves_hears_nothing_but_that() {
    let (papers, mut pages) = Papers::new(bellwire());
    let response = papers.ask("/live/?feed=a&greet=open", &[]).await;
    papers.bellwire.layer().kick_person("ada", Close::policy("signed out"));
    let mut page =
        Page { body: response.into_body().into_data_stream(), interpreter: Interpreter::default() };
    let mut heard = Vec::new();
    let listen = async {
        while let Some(events) = page.piece().await {
            heard.extend(events);
        }
    };
    within("the end of the stream", listen).await;
    assert_eq!(heard.len(), 1, "{heard:?}");
    assert_eq!(heard[0].data, "{\"code\":1008,\"reason\":\"signed out\"}");
    assert!(pages.try_recv().is_err(), "the consumer never learned of it");
}

#[tokio::test]
async fn all_that_waits_for_one_stream_leaves_in_one_chunk() {
    let (server, papers) = start(bellwire()).await;
    let mut source = Source::open(&server, "/live/?feed=a&greet=open", &[]).await;
    source.is_open().await;
    // The test's runtime has one thread: the connection's loop does not run between these.
    (0..100).for_each(|i| papers.patch("a", &i.to_string()));
    let before = source.chunks;
    for i in 0..100 {
        assert_eq!(source.words().await, i.to_string());
    }
    assert_eq!(source.chunks - before, 1);
}

#[tokio::test(start_paused = true)]
async fn a_silent_reader_who_takes_the_heartbeats_stays_as_long_as_it_likes() {
    let (papers, mut pages) = Papers::new(bellwire());
    let mut page = Page::open(&papers, "/live/?feed=a").await;
    let opened = tokio::time::Instant::now();
    while opened.elapsed() < Duration::from_secs(3600) {
        assert_eq!(page.piece().await, Some(vec![]), "nothing but signs of life");
    }
    assert!(page.interpreter.comments >= 3600 / 60, "often enough for every proxy");
    papers.patch("a", "still here");
    let event = page.piece().await.unwrap();
    assert!(event[0].data.contains("still here"), "{event:?}");
    drop(page);
    noted(&mut pages, "disconnect 1006").await;
}

#[tokio::test(start_paused = true)]
async fn a_reader_who_takes_not_even_a_heartbeat_is_let_go() {
    let (papers, mut pages) = Papers::new(bellwire());
    let mut page = Page::open(&papers, "/live/?feed=a").await;
    while page.body.next().now_or_never().is_some() {}
    noted(&mut pages, "disconnect 1013").await;
    assert!(papers.bellwire.shutdown(PATIENCE).await, "nothing of it is left");
    let left: Vec<_> = within("the end of the body", page.body.collect()).await;
    assert!(left.last().unwrap().is_err(), "what it missed is not taken for the end: {left:?}");
}

#[tokio::test]
async fn who_lagged_behind_is_caught_up_and_misses_nothing() {
    const CHANGES: usize = 200;
    let limits = Limits { queue_messages: 8, ..Limits::default() };
    let (mut server, papers) = start(with_limits(limits)).await;
    let mut source = Source::open(&server, "/live/?feed=a&since=a:0", &[]).await;
    server.noted("catch up a Some(0)").await;
    // More than the kernel takes for a reader who takes none.
    let text = "x".repeat(60_000);
    for change in 0..CHANGES {
        papers.publish("a", &format!("{change} {text}"));
        tokio::task::yield_now().await;
    }
    assert!(papers.bellwire.layer().counts().overflows > 0, "it does not keep up");
    for change in 0..CHANGES {
        let words = source.words().await;
        assert_eq!(words.split_once(' ').unwrap().0, change.to_string());
    }
    papers.publish("a", "on");
    assert_eq!(source.words().await, "on");
}

#[tokio::test]
async fn a_reader_who_never_reads_is_let_go_and_harms_nobody() {
    let limits = Limits { write: Duration::from_secs(1), queue_messages: 64, ..Limits::default() };
    let (mut server, papers) = start(with_limits(limits)).await;
    let stuck = Source::open(&server, "/live/?feed=a", &[]).await;
    server.noted("connect").await;
    let mut reader = Source::open(&server, "/live/?feed=a&greet=open", &[]).await;
    reader.is_open().await;
    let text = "x".repeat(60_000);
    let mut heard = 0;
    let talk = async {
        while server.bellwire.layer().local_members(&name("a")) == 2 {
            papers.patch("a", &text);
            assert!(reader.words().await.starts_with("xxx"), "the other one reads on");
            heard += 1;
        }
    };
    some_day("the end of who never reads", talk).await;
    assert!(heard > 10, "{heard}");
    server.noted("disconnect 1013").await;
    drop(stuck);
}

#[tokio::test]
async fn a_socket_beside_a_stream_is_kicked_with_it() {
    let (mut server, _) = start(bellwire()).await;
    let (mut socket, _) = server.shake("/live/", HANDSHAKE).await;
    let mut source = Source::open(&server, "/live/?greet=open", &[]).await;
    source.is_open().await;
    server.noted("connect").await;
    server.bellwire.layer().kick_person("ada", Close::policy("deactivated"));
    assert_eq!(read_close(&mut socket).await, (1008, "deactivated".to_owned()));
    socket.shutdown().await.unwrap();
    assert_eq!(source.next().await.unwrap().name, "close");
}
