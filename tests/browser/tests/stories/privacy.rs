//! Privacy of a closed room: checks every frame sent to people without access while the room is
//! busy.

use std::net::SocketAddr;

use bellwire_browser_tests::{Person, Site, TEST_TIMEOUT};
use futures_util::SinkExt;
use futures_util::stream::{SplitSink, StreamExt};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_websockets::{ClientBuilder, Message, WebSocketStream};

/// The paths of sockets that a page of the room, or a program, would open.
const PAGE_SOCKETS: [&str; 2] =
    ["/ws/chat/?dialect=htmx&sidebar=1&at=/chat/vault/", "/ws/chat/?at=/chat/vault/"];
const ROOM_SOCKETS: [&str; 2] = ["/ws/chat/vault/?dialect=htmx&sidebar=1", "/ws/chat/vault/"];
/// The close code for missing or lost permission.
const POLICY: u16 = 1008;
/// A part of every message, followed by its number.
const WORD: &str = "sesame-";

/// The session of a person, to open sockets outside of a browser.
#[derive(Debug, Clone)]
struct Session {
    site: SocketAddr,
    name: String,
    id: i64,
    cookie: String,
}

impl Session {
    async fn of(site: &Site, person: &Person) -> Self {
        let cookies = person.cookies().await;
        let cookies: Vec<_> =
            cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let (site, name) = (site.server.address(), person.name().to_owned());
        Self { site, name, id: person.id().await, cookie: cookies.join("; ") }
    }

    /// Requests a socket as a page of the site does. Returns the status and the connection.
    async fn handshake(&self, path: &str) -> (u16, TcpStream) {
        let Self { site, cookie, .. } = self;
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: {site}\r\nOrigin: http://{site}\r\nCookie: {cookie}\r\n\
             Connection: Upgrade\r\n\
             Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        );
        let exchange = async {
            let mut stream = TcpStream::connect(site).await?;
            stream.write_all(request.as_bytes()).await?;
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(stream.read_u8().await?);
            }
            std::io::Result::Ok((String::from_utf8_lossy(&head).into_owned(), stream))
        };
        let (head, stream) =
            timeout(TEST_TIMEOUT, exchange).await.expect("an answer in time").expect("an answer");
        let status =
            head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
        (status, stream)
    }

    async fn is_refused(&self, path: &str, status: u16) {
        assert_eq!(self.handshake(path).await.0, status, "{} requests {path}", self.name);
    }

    async fn opens_socket(&self, path: &'static str) -> RecordedSocket {
        let (status, stream) = self.handshake(path).await;
        assert_eq!(status, 101, "{} requests {path}", self.name);
        let (sink, mut stream) = ClientBuilder::new().take_over(stream).split();
        let (sender, received) = watch::channel(Vec::new());
        let task = tokio::spawn(async move {
            while let Some(Ok(frame)) = stream.next().await {
                if let Some((code, _)) = frame.as_close() {
                    return Some(code.into());
                }
                if let Some(text) = frame.as_text() {
                    sender.send_modify(|received| received.push(text.to_owned()));
                }
            }
            None
        });
        RecordedSocket { label: format!("{} at {path}", self.name), sink, received, task }
    }

    async fn opens_sockets(
        &self,
        paths: impl IntoIterator<Item = &'static str>,
    ) -> Vec<RecordedSocket> {
        let mut sockets = Vec::new();
        for path in paths {
            sockets.push(self.opens_socket(path).await);
        }
        sockets
    }
}

/// A socket that records every frame.
struct RecordedSocket {
    label: String,
    sink: SplitSink<WebSocketStream<TcpStream>, Message>,
    received: watch::Receiver<Vec<String>>,
    task: JoinHandle<Option<u16>>,
}

impl RecordedSocket {
    /// The frames, with the details of events as they are in JSON.
    fn frames(&self) -> Vec<String> {
        self.received.borrow().iter().map(|frame| frame.replace("&quot;", "\"")).collect()
    }

    /// The numbers of the messages in all frames.
    fn numbers(&self) -> Vec<u64> {
        self.frames().iter().flat_map(|frame| numbers(frame)).collect()
    }

    /// Waits until a frame with an index of at least `from` contains `text`.
    async fn receives_after(&self, from: usize, text: &str) {
        let mut received = self.received.clone();
        let holds = |frames: &Vec<String>| frames[from..].iter().any(|frame| frame.contains(text));
        let found =
            timeout(TEST_TIMEOUT, received.wait_for(holds)).await.is_ok_and(|found| found.is_ok());
        assert!(found, "{} never received {text:?} in {:#?}", self.label, &self.frames()[from..]);
    }

    async fn receives(&self, text: &str) {
        self.receives_after(0, text).await;
    }

    /// Waits until the socket is closed with this code.
    async fn closes_with(&mut self, code: u16) {
        let closed = timeout(TEST_TIMEOUT, &mut self.task).await;
        let closed =
            closed.unwrap_or_else(|_| panic!("{} stays open", self.label)).expect("a listener");
        assert_eq!(closed, Some(code), "{}", self.label);
    }

    /// Requests the room and is refused. The reply arrives after all frames sent before it, so no
    /// later frame may concern the room.
    async fn is_refused_room(&mut self, name: &str) {
        let from = self.frames().len();
        let action =
            json!({ "action": "Change group", "data": { "groupName": name, "isGroup": true } });
        self.sink.send(Message::text(action.to_string())).await.expect("an open socket");
        self.receives_after(from, "no such room").await;
    }

    /// Checks that no frame contains a message with a number above `last`, and that frames from
    /// index `from` on contain nothing of the room.
    fn assert_received_nothing(&self, last: u64, from: usize, room: i64) {
        let frames = self.frames();
        for (at, frame) in frames.iter().enumerate() {
            let late: Vec<_> = numbers(frame).into_iter().filter(|number| *number > last).collect();
            assert!(late.is_empty(), "{} received {late:?} after {last}: {frame}", self.label);
            let word = room_markers(room)
                .into_iter()
                .find(|word| at >= from && frame.to_lowercase().contains(word));
            assert!(
                word.is_none(),
                "{} received {word:?} in frame {at}, though the room is closed from {from} on: {frame}",
                self.label
            );
        }
    }
}

/// Texts that identify this room: its names, its messages, its ids on a page.
fn room_markers(room: i64) -> Vec<String> {
    let ids = ["here", "online", "room-name", "room-title", "room-link"];
    let ids = ids.map(|id| format!("{id}--{room}\""));
    let details = [format!("\"room\":{room},"), format!("\"room\":{room}}}")];
    let names = ["vault", "crypt", WORD].map(str::to_owned);
    names
        .into_iter()
        .chain(ids)
        .chain(details)
        .chain([format!("chat.room.{room}\""), format!("data-room=\\\"{room}\\\"")])
        .collect()
}

/// The numbers of messages in a frame: in their texts, and in the feed position of the room. Nobody
/// else writes here, so a message's number is its position.
fn numbers(frame: &str) -> Vec<u64> {
    let number = |rest: &str| {
        let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
        digits.parse().ok()
    };
    let in_texts = frame.split(WORD).skip(1).filter_map(number);
    let positions = frame
        .split("chat:newest\"")
        .skip(1)
        .filter_map(|rest| rest.split_once("\"seq\":"))
        .map(|(_, rest)| rest);
    in_texts.chain(positions.filter_map(number)).collect()
}

/// Creates an account, and closes its browser.
async fn create_account(site: &Site, name: &str) -> Session {
    let person = site.person(name).await;
    person.signs_up().await;
    Session::of(site, &person).await
}

/// Starts a script in Mia's page that posts one message after another until `window.enough` is set.
async fn starts_writing(mia: &Person) {
    let script = "window.started = 0
      window.done = (async () => {
        while (!window.enough) {
          const body = new URLSearchParams({ message: `sesame-${++window.started} for us alone` })
          const answer = await fetch('/chat/vault/', { method: 'POST', body, redirect: 'manual' })
          if (answer.type !== 'opaqueredirect') return answer.status
          await new Promise((then) => setTimeout(then, 10))
        }
        return 'written'
      })()
      return true";
    mia.until("could start to write", script, &[]).await;
}

/// The number of messages that Mia has started to post. Later ones have higher numbers.
async fn started(mia: &Person) -> u64 {
    mia.run_script("return window.started", &[]).await.as_u64().expect("a number")
}

async fn writes_more(mia: &Person, more: u64) {
    let least = started(mia).await + more;
    mia.until("posted more messages", "return window.started >= arguments[0]", &[json!(least)])
        .await;
}

#[tokio::test]
async fn no_frame_to_people_without_access_contains_anything_of_a_closed_room() {
    let site = Site::open().await;
    let (ada, mia, sue) =
        (site.person("Ada").await, site.person("Mia").await, site.person("Sue").await);
    ada.becomes_administrator().await;
    mia.signs_up().await;
    sue.signs_up().await;
    let (sam, eve, dan) = (
        create_account(&site, "Sam").await,
        create_account(&site, "Eve").await,
        create_account(&site, "Dan").await,
    );
    let (member, leaver) = (Session::of(&site, &mia).await, Session::of(&site, &sue).await);

    ada.posts("/chat/", &[("name", "Vault"), ("closed", "1")]).await;
    let find = "return fetch('/chat/vault/').then(answer => answer.text())
      .then(text => Number(new DOMParser().parseFromString(text, 'text/html').querySelector('.room').dataset.room))";
    let room = ada.run_script(find, &[]).await.as_i64().expect("the room's number");
    let changes = async |what: &str, label: &[&Session]| {
        let ids: Vec<_> = label.iter().map(|key| key.id.to_string()).collect();
        let fields: Vec<_> = [("kind", "closed")]
            .into_iter()
            .chain(ids.iter().map(|id| (what, id.as_str())))
            .collect();
        ada.posts(&format!("/chat/-/rooms/{room}/members/"), &fields).await;
    };
    changes("member", &[&member, &leaver, &eve, &dan]).await;

    let all = || PAGE_SOCKETS.into_iter().chain(ROOM_SOCKETS);
    let mut outsiders = sam.opens_sockets(PAGE_SOCKETS).await;
    for path in ROOM_SOCKETS {
        sam.is_refused(path, 404).await;
    }
    let mia_sockets = member.opens_sockets(all()).await;
    let (mut eve_sockets, mut dan_sockets, mut sue_sockets) = (
        eve.opens_sockets(all()).await,
        dan.opens_sockets(all()).await,
        leaver.opens_sockets(all()).await,
    );
    starts_writing(&mia).await;
    for socket in mia_sockets.iter().chain(&eve_sockets).chain(&dan_sockets).chain(&sue_sockets) {
        socket.receives("sesame-10 ").await;
    }

    changes("was", &[&eve]).await;
    let last_of_eve = started(&mia).await;
    writes_more(&mia, 20).await;
    sue.posts("/accounts/logout/", &[]).await;
    let last_of_sue = started(&mia).await;
    writes_more(&mia, 20).await;
    site.server.run_command(&["user", "deactivate", "Dan"]).await;
    let last_of_dan = started(&mia).await;

    for socket in dan_sockets.iter_mut().chain(&mut sue_sockets) {
        socket.closes_with(POLICY).await;
    }
    // Sockets of pages with the sidebar stay open; sockets of the room alone are closed.
    let (mut pages, mut others): (Vec<_>, Vec<_>) =
        eve_sockets.drain(..).partition(|socket| socket.label.contains("sidebar"));
    for socket in &mut others {
        socket.closes_with(POLICY).await;
    }
    let quiet_from: Vec<usize> = {
        let mut from = Vec::new();
        for socket in &mut pages {
            socket.is_refused_room("Vault").await;
            from.push(socket.frames().len());
        }
        from
    };
    for socket in &mut outsiders {
        socket.is_refused_room("Vault").await;
    }
    for (key, status) in [(&sam, 404), (&eve, 404), (&leaver, 401), (&dan, 401)] {
        for path in ROOM_SOCKETS {
            key.is_refused(path, status).await;
        }
    }
    // New sockets with the room's address, for people who may open them.
    outsiders.extend(sam.opens_sockets(PAGE_SOCKETS).await);
    let mut reopened = eve.opens_sockets(PAGE_SOCKETS).await;

    writes_more(&mia, 100u64.saturating_sub(started(&mia).await).max(20)).await;
    let written = mia.run_script("window.enough = true; return window.done", &[]).await;
    assert_eq!(written, json!("written"));
    let (last, after) =
        (started(&mia).await, "sesame-999999 for @Sam, @Eve, @Dan and @Sue".to_owned());
    assert!(last >= 100, "{last}");
    mia.posts_messages("/chat/vault/", &[after]).await;
    ada.posts(&format!("/chat/-/rooms/{room}/"), &[("name", "Crypt")]).await;
    for socket in &mia_sockets {
        socket.receives("sesame-999999").await;
        let received = socket.numbers();
        let missing: Vec<_> = (1..=last).filter(|number| !received.contains(number)).collect();
        assert!(missing.is_empty(), "{} is a member and did not receive {missing:?}", socket.label);
    }
    mia_sockets[0].receives("Crypt").await;
    for socket in pages.iter_mut().chain(&mut outsiders).chain(&mut reopened) {
        socket.is_refused_room("Crypt").await;
        socket.is_refused_room("Vault").await;
    }

    for socket in outsiders.iter().chain(&reopened) {
        socket.assert_received_nothing(0, 0, room);
    }
    for (socket, from) in pages.iter().zip(quiet_from) {
        socket.assert_received_nothing(last_of_eve, from, room);
    }
    others.iter().for_each(|socket| socket.assert_received_nothing(last_of_eve, usize::MAX, room));
    sue_sockets
        .iter()
        .for_each(|socket| socket.assert_received_nothing(last_of_sue, usize::MAX, room));
    // The operator's command runs in a separate process; the site polls for its effect four times a
    // second.
    let late = dan_sockets
        .iter()
        .flat_map(RecordedSocket::numbers)
        .max()
        .unwrap_or_default()
        .saturating_sub(last_of_dan);
    eprintln!(
        "{late} of {last} messages were started after Dan was deactivated and before his sockets closed"
    );
}
