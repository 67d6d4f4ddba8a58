//! Every frame that goes to those who may not read a room, while it is busy.

use std::net::SocketAddr;

use bellwire_browser_tests::{PATIENCE, Person, Stage};
use futures_util::SinkExt;
use futures_util::stream::{SplitSink, StreamExt};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_websockets::{ClientBuilder, Message, WebSocketStream};

/// The sockets that a page of the room, or a program, would have.
const WINDOWS: [&str; 2] =
    ["/ws/chat/?dialect=htmx&sidebar=1&at=/chat/vault/", "/ws/chat/?at=/chat/vault/"];
const ROOM: [&str; 2] = ["/ws/chat/vault/?dialect=htmx&sidebar=1", "/ws/chat/vault/"];
/// "You may not", or not any more.
const POLICY: u16 = 1008;
/// In every message; its number follows.
const WORD: &str = "sesame-";

/// What somebody needs to open a socket outside of a browser.
#[derive(Debug, Clone)]
struct Key {
    site: SocketAddr,
    name: String,
    id: i64,
    cookie: String,
}

impl Key {
    async fn of(stage: &Stage, person: &Person) -> Self {
        let cookies = person.cookies().await;
        let cookies: Vec<_> =
            cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let (site, name) = (stage.server.address(), person.name().to_owned());
        Self { site, name, id: person.id().await, cookie: cookies.join("; ") }
    }

    /// Asks for a socket as a page of the site does. The status, and the connection.
    async fn knocks(&self, path: &str) -> (u16, TcpStream) {
        let Self { site, cookie, .. } = self;
        let ask = format!(
            "GET {path} HTTP/1.1\r\nHost: {site}\r\nOrigin: http://{site}\r\nCookie: {cookie}\r\nConnection: Upgrade\r\n\
             Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        );
        let knock = async {
            let mut stream = TcpStream::connect(site).await?;
            stream.write_all(ask.as_bytes()).await?;
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(stream.read_u8().await?);
            }
            std::io::Result::Ok((String::from_utf8_lossy(&head).into_owned(), stream))
        };
        let (head, stream) =
            timeout(PATIENCE, knock).await.expect("an answer in time").expect("an answer");
        let status =
            head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
        (status, stream)
    }

    async fn is_refused(&self, path: &str, status: u16) {
        assert_eq!(self.knocks(path).await.0, status, "{} asks for {path}", self.name);
    }

    async fn listens(&self, path: &'static str) -> Ear {
        let (status, stream) = self.knocks(path).await;
        assert_eq!(status, 101, "{} asks for {path}", self.name);
        let (sink, mut stream) = ClientBuilder::new().take_over(stream).split();
        let (writing, heard) = watch::channel(Vec::new());
        let task = tokio::spawn(async move {
            while let Some(Ok(frame)) = stream.next().await {
                if let Some((code, _)) = frame.as_close() {
                    return Some(code.into());
                }
                if let Some(text) = frame.as_text() {
                    writing.send_modify(|heard| heard.push(text.to_owned()));
                }
            }
            None
        });
        Ear { whose: format!("{} at {path}", self.name), sink, heard, task }
    }

    async fn listens_to(&self, paths: impl IntoIterator<Item = &'static str>) -> Vec<Ear> {
        let mut ears = Vec::new();
        for path in paths {
            ears.push(self.listens(path).await);
        }
        ears
    }
}

/// A socket whose every frame is kept.
struct Ear {
    whose: String,
    sink: SplitSink<WebSocketStream<TcpStream>, Message>,
    heard: watch::Receiver<Vec<String>>,
    task: JoinHandle<Option<u16>>,
}

impl Ear {
    fn frames(&self) -> Vec<String> {
        self.heard.borrow().clone()
    }

    /// The numbers of the messages in all frames.
    fn numbers(&self) -> Vec<u64> {
        self.frames().iter().flat_map(|frame| numbers(frame)).collect()
    }

    /// Waits until one of the frames from this one on holds this.
    async fn hears_after(&self, from: usize, words: &str) {
        let mut heard = self.heard.clone();
        let holds = |frames: &Vec<String>| frames[from..].iter().any(|frame| frame.contains(words));
        let found = timeout(PATIENCE, heard.wait_for(holds)).await.is_ok_and(|found| found.is_ok());
        assert!(found, "{} never heard {words:?} in {:#?}", self.whose, &self.frames()[from..]);
    }

    async fn hears(&self, words: &str) {
        self.hears_after(0, words).await;
    }

    /// Waits until it is closed with this code.
    async fn closes_with(&mut self, code: u16) {
        let closed = timeout(PATIENCE, &mut self.task).await;
        let closed =
            closed.unwrap_or_else(|_| panic!("{} stays open", self.whose)).expect("a listener");
        assert_eq!(closed, Some(code), "{}", self.whose);
    }

    /// Asks for the room and is refused. The answer comes by the same way as all frames, after
    /// those that were sent before: from there on there is nothing of the room at all.
    async fn is_refused_the_room(&mut self, name: &str) {
        let from = self.frames().len();
        let ask =
            json!({ "action": "Change group", "data": { "groupName": name, "isGroup": true } });
        self.sink.send(Message::text(ask.to_string())).await.expect("an open socket");
        self.hears_after(from, "no such room").await;
    }

    /// No message that was begun after number `last`, in any frame; nothing of the room in frames
    /// from this one on.
    fn kept_quiet(&self, last: u64, from: usize, room: i64) {
        let frames = self.frames();
        for (at, frame) in frames.iter().enumerate() {
            let late: Vec<_> = numbers(frame).into_iter().filter(|number| *number > last).collect();
            assert!(late.is_empty(), "{} heard {late:?} after {last}: {frame}", self.whose);
            let word = words_of(room)
                .into_iter()
                .find(|word| at >= from && frame.to_lowercase().contains(word));
            assert!(
                word.is_none(),
                "{} heard {word:?} in frame {at}, of the room from {from} on: {frame}",
                self.whose
            );
        }
    }
}

/// What is only ever said of this room: its names, its messages, its marks on a page.
fn words_of(room: i64) -> Vec<String> {
    let marks = ["newest", "read", "online", "room-name", "room-title", "room-link"];
    let marks = marks.map(|mark| format!("{mark}--{room}\""));
    let names = ["vault", "crypt", WORD].map(str::to_owned);
    names
        .into_iter()
        .chain(marks)
        .chain([format!("chat.room.{room}\""), format!("data-room=\\\"{room}\\\"")])
        .collect()
}

/// The numbers of messages in a frame: in their words, and in the mark that says where the room has
/// got to. Nobody else writes here, so a message's number is its place.
fn numbers(frame: &str) -> Vec<u64> {
    let number = |rest: &str| {
        let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
        digits.parse().ok()
    };
    let words = frame.split(WORD).skip(1).filter_map(number);
    let marks = frame
        .split("newest--")
        .skip(1)
        .filter_map(|rest| rest.split_once("data-seq=\""))
        .map(|(_, rest)| rest);
    words.chain(marks.filter_map(number)).collect()
}

/// Somebody whose browser is not needed any more.
async fn came_and_went(stage: &Stage, name: &str) -> Key {
    let person = stage.person(name).await;
    person.signs_up().await;
    Key::of(stage, &person).await
}

/// A room that is never silent: Mia writes one message after the other until she is told that it is
/// enough.
async fn goes_on_writing(mia: &Person) {
    let script = "window.begun = 0
      window.done = (async () => {
        while (!window.enough) {
          const body = new URLSearchParams({ message: `sesame-${++window.begun} for us alone` })
          const answer = await fetch('/chat/vault/', { method: 'POST', body, redirect: 'manual' })
          if (answer.type !== 'opaqueredirect') return answer.status
          await new Promise((then) => setTimeout(then, 10))
        }
        return 'written'
      })()
      return true";
    mia.until("could begin to write", script, &[]).await;
}

/// How many messages Mia had begun; what is begun from now on has a higher number.
async fn begun(mia: &Person) -> u64 {
    mia.ask("return window.begun", &[]).await.as_u64().expect("a number")
}

async fn writes_more(mia: &Person, more: u64) {
    let least = begun(mia).await + more;
    mia.until("went on writing", "return window.begun >= arguments[0]", &[json!(least)]).await;
}

#[tokio::test]
async fn nothing_of_a_closed_room_is_in_any_frame_of_those_who_may_not_read_it() {
    let stage = Stage::open().await;
    let (ada, mia, sue) =
        (stage.person("Ada").await, stage.person("Mia").await, stage.person("Sue").await);
    ada.becomes_administrator().await;
    mia.signs_up().await;
    sue.signs_up().await;
    let (sam, eve, dan) = (
        came_and_went(&stage, "Sam").await,
        came_and_went(&stage, "Eve").await,
        came_and_went(&stage, "Dan").await,
    );
    let (member, leaver) = (Key::of(&stage, &mia).await, Key::of(&stage, &sue).await);

    ada.posts("/chat/", &[("name", "Vault"), ("closed", "1")]).await;
    let find = "return fetch('/chat/vault/').then(answer => answer.text())
      .then(text => Number(new DOMParser().parseFromString(text, 'text/html').querySelector('.room').dataset.room))";
    let room = ada.ask(find, &[]).await.as_i64().expect("the room's number");
    let changes = async |what: &str, whose: &[&Key]| {
        let ids: Vec<_> = whose.iter().map(|key| key.id.to_string()).collect();
        let fields: Vec<_> = [("kind", "closed")]
            .into_iter()
            .chain(ids.iter().map(|id| (what, id.as_str())))
            .collect();
        ada.posts(&format!("/chat/-/rooms/{room}/members/"), &fields).await;
    };
    changes("member", &[&member, &leaver, &eve, &dan]).await;

    let all = || WINDOWS.into_iter().chain(ROOM);
    let mut strangers = sam.listens_to(WINDOWS).await;
    for path in ROOM {
        sam.is_refused(path, 404).await;
    }
    let mias = member.listens_to(all()).await;
    let (mut eves, mut dans, mut sues) =
        (eve.listens_to(all()).await, dan.listens_to(all()).await, leaver.listens_to(all()).await);
    goes_on_writing(&mia).await;
    for ear in mias.iter().chain(&eves).chain(&dans).chain(&sues) {
        ear.hears("sesame-10 ").await;
    }

    changes("was", &[&eve]).await;
    let last_of_eve = begun(&mia).await;
    writes_more(&mia, 20).await;
    sue.posts("/accounts/logout/", &[]).await;
    let last_of_sue = begun(&mia).await;
    writes_more(&mia, 20).await;
    stage.server.operator(&["user", "deactivate", "Dan"]).await;
    let last_of_dan = begun(&mia).await;

    for ear in dans.iter_mut().chain(&mut sues) {
        ear.closes_with(POLICY).await;
    }
    // A page with the list of rooms stays for the others; where the room was all there was, that is
    // the end.
    let (mut pages, mut others): (Vec<_>, Vec<_>) =
        eves.drain(..).partition(|ear| ear.whose.contains("sidebar"));
    for ear in &mut others {
        ear.closes_with(POLICY).await;
    }
    let quiet_from: Vec<usize> = {
        let mut from = Vec::new();
        for ear in &mut pages {
            ear.is_refused_the_room("Vault").await;
            from.push(ear.frames().len());
        }
        from
    };
    for ear in &mut strangers {
        ear.is_refused_the_room("Vault").await;
    }
    for (key, status) in [(&sam, 404), (&eve, 404), (&leaver, 401), (&dan, 401)] {
        for path in ROOM {
            key.is_refused(path, status).await;
        }
    }
    // Fresh sockets of those who may have some, with the room's address on them.
    strangers.extend(sam.listens_to(WINDOWS).await);
    let mut anew = eve.listens_to(WINDOWS).await;

    writes_more(&mia, 100u64.saturating_sub(begun(&mia).await).max(20)).await;
    let written = mia.ask("window.enough = true; return window.done", &[]).await;
    assert_eq!(written, json!("written"));
    let (last, after) =
        (begun(&mia).await, "sesame-999999 for @Sam, @Eve, @Dan and @Sue".to_owned());
    assert!(last >= 100, "{last}");
    mia.posts_messages("/chat/vault/", &[after]).await;
    ada.posts(&format!("/chat/-/rooms/{room}/"), &[("name", "Crypt")]).await;
    for ear in &mias {
        ear.hears("sesame-999999").await;
        let heard = ear.numbers();
        let missing: Vec<_> = (1..=last).filter(|number| !heard.contains(number)).collect();
        assert!(missing.is_empty(), "{} is a member and did not hear {missing:?}", ear.whose);
    }
    mias[0].hears("Crypt").await;
    for ear in pages.iter_mut().chain(&mut strangers).chain(&mut anew) {
        ear.is_refused_the_room("Crypt").await;
        ear.is_refused_the_room("Vault").await;
    }

    for ear in strangers.iter().chain(&anew) {
        ear.kept_quiet(0, 0, room);
    }
    for (ear, from) in pages.iter().zip(quiet_from) {
        ear.kept_quiet(last_of_eve, from, room);
    }
    others.iter().for_each(|ear| ear.kept_quiet(last_of_eve, usize::MAX, room));
    sues.iter().for_each(|ear| ear.kept_quiet(last_of_sue, usize::MAX, room));
    // The operator's command is a process of its own; the site sees what it did when it looks for
    // it, four times a second.
    let late =
        dans.iter().flat_map(Ear::numbers).max().unwrap_or_default().saturating_sub(last_of_dan);
    eprintln!(
        "{late} of {last} messages were begun after Dan was deactivated and before his sockets closed"
    );
}
