//! Fuzzes the server with malformed WebSocket frames: their sender gets a reply or a close, and no
//! other connection is affected.

use std::collections::BTreeMap;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::mutate::{Dice, Share, deadline, memory, noise, report_tried, seeds, try_all, warm_up};
use crate::store::Store;
use crate::support::{HttpClient, Server, TEST_TIMEOUT, bellwire, folder, wait_until};

/// Number of frames unless the environment requests more. PostgreSQL gets fewer, because only the
/// database code differs.
const ON_SQLITE: Share = Share { usual: 1_500, warm_up: 1_000 };
const ON_POSTGRESQL: Share = Share { usual: 300, warm_up: 300 };
const WORKERS: usize = 4;
/// If the server sends nothing for this long, the client closes its half of the connection. The
/// server may be waiting for the rest of a frame.
const QUIET: Duration = Duration::from_millis(60);
/// Memory growth that is allowed, in KiB: caches of the database connections, and freed memory that
/// the allocator keeps.
const TOLERANCE: u64 = 12 * 1024;

const ROOM: &str = "/ws/chat/fuzz/";
const ADDRESSES: &[&str] = &[
    "/ws/chat/fuzz/?dialect=json",
    "/ws/chat/fuzz/?dialect=htmx&since=chat.room.1:3f9c2b0a71.1",
    "/ws/chat/?dialect=htmx&sidebar=1&at=/chat/fuzz/",
    "/ws/?dialect=json",
    "/ws/example/?dialect=json",
    "/ws/bmi/?dialect=htmx",
    "/ws/uppercase/?dialect=json",
    "/ws/htmx/?room=attic",
];
/// Paths with U+0000 in parameters that are ignored, or that match nothing.
const ODD_ADDRESSES: &[&str] = &[
    "/ws/chat/?dialect=json&at=/chat/%2500/",
    "/ws/chat/?dialect=htmx&sidebar=%00&at=/chat/fuzz%00/",
    "/ws/chat/fuzz/?dialect=json&since=%00&since=chat.room.%00:a.1&since=chat.room.1:a.%00",
];

/// Every message that pages send.
const MESSAGES: &[&str] = &[
    r#"{"action":"New message","data":{"message":"Lunch?","client_id":"f-{}"}}"#,
    r#"{"action":"New message","data":{"message":"<img src=x onerror=alert(1)>\n🔔","client_id":null}}"#,
    r#"{"message":"as htmx 2 says it","client_id":"f-{}","HEADERS":{"HX-Request":"true","HX-Target":null}}"#,
    r#"{"message":"as htmx 4 says it","headers":{"HX-Request":"true"},"values":{"a":[1,2]}}"#,
    r#"{"action":"Edit message","data":{"id":1,"message":"Dinner?"}}"#,
    r#"{"action":"Edit message","data":{"id":"{}","message":"Dinner?"}}"#,
    r#"{"action":"Delete message","data":{"id":"{}"}}"#,
    r##"{"action":"Change group","data":{"groupName":"#fuzz","isGroup":true}}"##,
    r#"{"action":"Change group","data":{"groupName":"Grace","isGroup":false}}"#,
    r#"{"action":"Typing","data":{}}"#,
    r#"{"action":"Read","data":{"room":1,"seq":"{}"}}"#,
    r#"{"action":"Mark unread","data":{"room":"1","seq":1}}"#,
    r#"{"action":"Ring","data":{}}"#,
    r#"{"action":"Ring"}"#,
    r#"{"action":"Change page","data":{"page":"profile"}}"#,
    r#"{"action":"Add task","data":{"task":"Buy milk {}"}}"#,
    r#"{"action":"Add lap","data":{}}"#,
    r#"{"action":"Login","data":{"email":"","password":""}}"#,
    r#"{"action":"Logout"}"#,
    r#"{"height":"180","weight":75,"HEADERS":{}}"#,
    r#"{"action":"text in capital letters","data":{"text":"stra\u00dfe"}}"#,
    r#"{"chat_message":"up here","headers":{}}"#,
];

/// Replacements for a value.
const VALUES: &[&str] = &[
    "null",
    "true",
    "0",
    "-0",
    "-1",
    "1e999",
    "1E-999",
    "123456789012345678901234567890",
    "0.1e",
    "01",
    "NaN",
    "[]",
    "{}",
    "\"\"",
    "\"\\ud800\"",
    "\"\\udc00\\ud800\"",
    "\"\\u0000\"",
    "\"\\u202e\"",
    "\"\\x\"",
    "\"\\",
    "[[[]]]",
    "{\"a\":{\"b\":[{}]}}",
    "\"action\"",
    "\"New message\"",
    "\"__proto__\"",
    "\"\u{feff}\"",
    "\u{feff}",
    "'x'",
    "/**/",
];

/// Keeps one connection for each path, and reopens those that the server closes.
struct Fuzzer<'a> {
    room: &'a Room,
    sockets: BTreeMap<usize, Socket>,
    outcomes: BTreeMap<String, u64>,
}

struct Room {
    server: Server,
    cookie: String,
    outcomes: Mutex<BTreeMap<String, u64>>,
}

#[test]
fn mutated_frames_are_answered_or_closed_with_a_valid_code_and_affect_no_other_connection() {
    let folder = folder("frames");
    try_frames(&folder, &Store::sqlite(&folder), ON_SQLITE);
    std::fs::remove_dir_all(&folder).unwrap();
}

#[tokio::test]
#[ignore = "needs PostgreSQL, which bin/test provides"]
async fn mutated_frames_are_answered_or_closed_and_affect_no_other_connection_on_postgresql() {
    let folder = folder("frames-postgres");
    let store = Store::postgres("frames").await;
    try_frames(&folder, &store, ON_POSTGRESQL);
    store.remove().await;
    std::fs::remove_dir_all(&folder).unwrap();
}

fn try_frames(folder: &Path, store: &Store, share: Share) {
    let mut command = bellwire(folder);
    command.env("DATABASE_URL", store.url());
    command.env("BELLWIRE_LOG", "warn").env("BELLWIRE_ACTIONS_PER_SECOND", "0");
    // Every worker has a socket of each kind, all of one person.
    command.env("BELLWIRE_SOCKETS_PER_PERSON", "100");
    let server = Server::start(command);
    let mut ada = HttpClient::connect(&server.address, "").unwrap();
    let cookie = ada.sign_up("Ada");
    assert_eq!(ada.post("/chat/", "name=fuzz").unwrap().status, 303);
    let mut grace = HttpClient::connect(&server.address, "").unwrap();
    let cookie_of_grace = grace.sign_up("Grace");
    let bystander =
        Socket::open(&server.address, &cookie_of_grace, &format!("{ROOM}?dialect=json")).unwrap();
    let room = Room { server, cookie, outcomes: Mutex::default() };
    let new_fuzzer =
        |_| Fuzzer { room: &room, sockets: BTreeMap::new(), outcomes: BTreeMap::new() };
    let (seeds, finished) = (seeds(share.usual), AtomicBool::new(false));
    let (mut before, mut tried) = (0, 0);
    let changes = std::thread::scope(|scope| {
        let receiver = scope.spawn(|| receive_until_last(bystander, &finished));
        // Also runs if a seed fails; otherwise the receiver would never end.
        let _end = scopeguard(|| finished.store(true, Ordering::SeqCst));
        new_fuzzer(0).nul_everywhere().unwrap();
        try_all(
            warm_up(&seeds, share.warm_up),
            WORKERS,
            deadline(20),
            new_fuzzer,
            Fuzzer::run_seed,
        );
        before = memory(room.server.id());
        tried = try_all(seeds.clone(), WORKERS, deadline(40), new_fuzzer, Fuzzer::run_seed);
        let mut grace = HttpClient::connect(&room.server.address, &cookie_of_grace).unwrap();
        assert_eq!(
            grace.post("/chat/fuzz/", &format!("message={LAST_MESSAGE}")).unwrap().status,
            303
        );
        wait_until("the last message is received", || receiver.is_finished());
        receiver.join().unwrap()
    });
    let log = room.server.log();
    assert!(!log.contains("panicked") && !log.contains("ERROR"), "{log}");
    let now = || memory(room.server.id());
    wait_until(&format!("memory returns to {before} KiB"), || now() <= before + TOLERANCE);
    let (now, outcomes) = (now(), room.outcomes.lock().unwrap());
    eprintln!(
        "{tried} frames: {before} KiB before, {now} KiB after; {changes} changes received by the \
         bystander; outcomes: {outcomes:?}"
    );
    report_tried(&format!("mutated frames on {}", store.name()), tried, &seeds);
}

/// The text of the last message.
const LAST_MESSAGE: &str = "and-now-we-are-done";

/// Calls `at_the_end` when the returned guard is dropped, even during a panic.
fn scopeguard<F: FnMut()>(at_the_end: F) -> impl Drop {
    struct Guard<F: FnMut()>(F);
    impl<F: FnMut()> Drop for Guard<F> {
        fn drop(&mut self) {
            (self.0)();
        }
    }
    Guard(at_the_end)
}

/// Receives the messages of a room member until the last one. Returns the number of changes, and
/// checks that each arrives once and in order.
fn receive_until_last(mut socket: Socket, finished: &AtomicBool) -> u64 {
    socket.stream.set_read_timeout(Some(QUIET)).unwrap();
    let (mut changes, mut last_seq) = (0, 0);
    // Finished before the last message: a seed failed, which is reported elsewhere.
    while !finished.load(Ordering::SeqCst) {
        let (opcode, payload) = match socket.read() {
            Ok(frame) => frame,
            Err(error) if error.kind() == ErrorKind::WouldBlock => continue,
            Err(error) => panic!("the bystander lost its connection: {error}"),
        };
        match opcode {
            9 => socket.stream.write_all(&frame(10, &payload)).unwrap(),
            1 => {
                let patch: Value = serde_json::from_slice(&payload).expect("JSON");
                let is_patch = patch["selector"].is_string() || patch["event"].is_string();
                assert!(is_patch, "not a patch: {patch}");
                let html = patch["html"].as_str().unwrap_or_default();
                assert!(!html.contains("<img"), "{html}");
                if let Some(seq) = patch["seq"].as_u64() {
                    assert!(seq > last_seq, "{seq} after {last_seq}");
                    (changes, last_seq) = (changes + 1, seq);
                }
                if html.contains(LAST_MESSAGE) {
                    return changes;
                }
            }
            _ => panic!("the bystander received opcode {opcode}: {}", payload.escape_ascii()),
        }
    }
    changes
}

impl Drop for Fuzzer<'_> {
    fn drop(&mut self) {
        let mut all = self.room.outcomes.lock().unwrap();
        self.outcomes.iter().for_each(|(end, times)| *all.entry(end.clone()).or_default() += times);
    }
}

impl Fuzzer<'_> {
    fn run_seed(&mut self, seed: u64) -> Result<(), String> {
        let mut dice = Dice::new(seed);
        let kind = dice.below(ADDRESSES.len());
        let socket = match self.sockets.remove(&kind) {
            Some(socket) => socket,
            None => Socket::open(&self.room.server.address, &self.room.cookie, ADDRESSES[kind])?,
        };
        let message = message(&mut dice, seed);
        // A complete frame is answered at once. After an incomplete one the server may wait for the
        // rest.
        let is_whole = dice.one_in(2);
        let bytes =
            if is_whole { frame(1, &message) } else { malformed_frame(&message, &mut dice) };
        self.send(kind, socket, &bytes, seed, is_whole)
    }

    /// Sends every message over every kind of socket, with U+0000 at the start of each string:
    /// SQLite stores it, PostgreSQL refuses it.
    fn nul_everywhere(&mut self) -> Result<(), String> {
        for address in ODD_ADDRESSES {
            let mut socket = Socket::open(&self.room.server.address, &self.room.cookie, address)?;
            let end = socket.send(&frame(1, br#"{"action":"Typing","data":{}}"#), 0, true)?;
            assert!(matches!(end, Outcome::Answered), "{address}: {end}");
        }
        for (kind, address) in ADDRESSES.iter().enumerate() {
            for text in MESSAGES {
                for (at, _) in text.match_indices('"').step_by(2) {
                    let text =
                        format!("{}\\u0000{}", &text[..=at], &text[at + 1..]).replace("{}", "1");
                    let open =
                        || Socket::open(&self.room.server.address, &self.room.cookie, address);
                    let socket = self.sockets.remove(&kind).map_or_else(open, Ok)?;
                    self.send(kind, socket, &frame(1, text.as_bytes()), at as u64, true)?;
                }
            }
        }
        Ok(())
    }

    fn send(
        &mut self,
        kind: usize,
        mut socket: Socket,
        bytes: &[u8],
        seed: u64,
        is_whole: bool,
    ) -> Result<(), String> {
        let end = socket.send(bytes, seed, is_whole);
        let end = end
            .map_err(|what| format!("{what}\nsent: {:.3000}", bytes.escape_ascii().to_string()))?;
        *self.outcomes.entry(end.to_string()).or_default() += 1;
        if matches!(end, Outcome::Answered) {
            self.sockets.insert(kind, socket);
        }
        Ok(())
    }
}

/// Returns a message, possibly with mutated content.
fn message(dice: &mut Dice, seed: u64) -> Vec<u8> {
    let mut text = dice.pick(MESSAGES).replace("{}", &seed.to_string());
    for _ in 0..dice.below(4) {
        match dice.below(10) {
            0..4 => replace_value(&mut text, dice.pick(VALUES), dice),
            4 => {
                replace_value(&mut text, &format!("\"{}\"", "x".repeat(1 << dice.below(16))), dice)
            }
            5 => {
                let (open, close) =
                    *dice.pick(&[&("[", "]"), &("{\"a\":", "}"), &("[", ""), &("{\"data\":", "")]);
                let deep = 1 << dice.below(13);
                replace_value(
                    &mut text,
                    &[&open.repeat(deep), "1", &*close.repeat(deep)].concat(),
                    dice,
                );
            }
            6 => insert_after(
                &mut text,
                "{",
                dice.pick(&[
                    "\"action\":\"Ring\",",
                    "\"data\":{},",
                    "\"message\":\"twice\",",
                    "\"client_id\":7,",
                    "\"\":\"\",",
                ]),
                dice,
            ),
            7 => insert_after(&mut text, ",", dice.pick(&[",", " ", "\"", "}", "]", "\n\t"]), dice),
            8 => text = text.repeat(1 + dice.below(3)),
            _ => {
                let mut bytes = text.into_bytes();
                noise(&mut bytes, dice);
                // Half of them stay valid UTF-8.
                match String::from_utf8(bytes) {
                    Ok(valid) => text = valid,
                    Err(error) if dice.one_in(2) => return error.into_bytes(),
                    Err(error) => text = String::from_utf8_lossy(error.as_bytes()).into_owned(),
                }
            }
        }
    }
    text.into_bytes()
}

/// Replaces one string, number or literal.
fn replace_value(text: &mut String, with: &str, dice: &mut Dice) {
    let starts: Vec<usize> = text.match_indices([':', ',', '[']).map(|(at, _)| at + 1).collect();
    if !starts.is_empty() {
        let start = starts[dice.below(starts.len())];
        let end = text[start..].find([',', '}', ']']).map_or(text.len(), |end| start + end);
        text.replace_range(start..end, with);
    }
}

fn insert_after(text: &mut String, what: &str, more: &str, dice: &mut Dice) {
    let places: Vec<usize> = text.match_indices(what).map(|(at, _)| at + what.len()).collect();
    if !places.is_empty() {
        text.insert_str(places[dice.below(places.len())], more);
    }
}

/// Returns a frame that violates the protocol, or is merely unusual.
fn malformed_frame(message: &[u8], dice: &mut Dice) -> Vec<u8> {
    let mut bytes = frame(1, message);
    match dice.below(10) {
        0 => bytes[0] = dice.number().to_le_bytes()[0], // opcode, RSV and FIN
        1 => bytes[1] ^= 0x80,                          // no mask
        2 => bytes[1] = dice.number().to_le_bytes()[0], // another length
        3 => {
            let length = *dice.pick(&[
                &0,
                &1,
                &125,
                &126,
                &65_535,
                &65_536,
                &65_537,
                &(1 << 31),
                &(1 << 63),
                &u64::MAX,
            ]);
            bytes = [&[0x81, 0xff][..], &length.to_be_bytes(), &[0; 4], message].concat();
        }
        4 => bytes = fragments(message, dice),
        5 => {
            let control = frame(*dice.pick(&[&8, &9, &10, &11]), &dice.bytes(140));
            bytes = [control, bytes].concat();
        }
        6 => {
            let code = *dice.pick(&[
                &0u16, &999, &1000, &1001, &1004, &1005, &1006, &1008, &1011, &1015, &2999, &3000,
                &4999, &65_535,
            ]);
            let reason = dice.bytes(130);
            bytes = [frame(8, &[&code.to_be_bytes()[..], &reason].concat()), bytes].concat();
        }
        7 => bytes = frame(2, message),
        8 => bytes = [frame(9, b"one").repeat(1 + dice.below(50)), bytes].concat(),
        _ => noise(&mut bytes, dice),
    }
    if dice.one_in(4) {
        noise(&mut bytes, dice);
    }
    bytes
}

/// Splits the message into fragments, possibly with other frames in between, possibly without a
/// final one.
fn fragments(message: &[u8], dice: &mut Dice) -> Vec<u8> {
    let mut all = Vec::new();
    for (number, piece) in message.chunks(1 + dice.below(40)).enumerate() {
        let mut fragment = frame(if number == 0 { 1 } else { 0 }, piece);
        fragment[0] &= 0x7f;
        all.extend(fragment);
        if dice.one_in(10) {
            all.extend(frame(*dice.pick(&[&9, &10, &0, &1, &2]), b"between"));
        }
    }
    if !dice.one_in(4) {
        all.extend(frame(0, b""));
    }
    all
}

/// A masked frame. The mask is zero, which masks nothing.
fn frame(opcode: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![0x80 | opcode];
    match payload.len() {
        short @ 0..126 => frame.push(0x80 | short as u8),
        middle @ 126..65_536 => {
            frame.push(0x80 | 126);
            frame.extend((middle as u16).to_be_bytes());
        }
        long => {
            frame.push(0x80 | 127);
            frame.extend((long as u64).to_be_bytes());
        }
    }
    frame.extend([0; 4]);
    frame.extend(payload);
    frame
}

/// The outcome of a frame.
enum Outcome {
    /// The server processed it, and the connection stays open.
    Answered,
    /// The server closed the connection with this code.
    Closed(u16),
    /// The server waited for more bytes, and closed at the end of the stream.
    Waited,
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Answered => write!(f, "answered"),
            Self::Closed(code) => write!(f, "closed with {code}"),
            Self::Waited => write!(f, "waited for the rest"),
        }
    }
}

struct Socket {
    stream: TcpStream,
    /// Received bytes that were not parsed yet.
    unread: Vec<u8>,
}

impl Socket {
    fn open(address: &str, cookie: &str, path: &str) -> Result<Self, String> {
        let mut stream = TcpStream::connect(address).map_err(|error| error.to_string())?;
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(TEST_TIMEOUT)).unwrap();
        stream.set_write_timeout(Some(TEST_TIMEOUT)).unwrap();
        let handshake = format!(
            "GET {path} HTTP/1.1\r\nHost: {address}\r\nOrigin: http://{address}\r\n\
             Cookie: {cookie}\r\nConnection: Upgrade\r\n\
             Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        );
        stream.write_all(handshake.as_bytes()).map_err(|error| error.to_string())?;
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).map_err(|error| format!("no handshake: {error}"))?;
            head.push(byte[0]);
        }
        let is_open = head.starts_with(b"HTTP/1.1 101");
        is_open
            .then(|| Self { stream, unread: Vec::new() })
            .ok_or_else(|| head.escape_ascii().to_string())
    }

    /// Sends the bytes and a ping, and returns the outcome. Checks every frame that arrives before
    /// the pong.
    fn send(&mut self, bytes: &[u8], seed: u64, is_whole: bool) -> Result<Outcome, String> {
        let ping = seed.to_be_bytes();
        // If the server has already closed, the read below returns the reason.
        let _ = self.stream.write_all(&[bytes, &frame(9, &ping)].concat());
        self.stream.set_read_timeout(Some(if is_whole { TEST_TIMEOUT } else { QUIET })).unwrap();
        let (start, mut ended) = (Instant::now(), false);
        loop {
            // Frames that the server sends on its own do not extend the wait.
            if start.elapsed() > 2 * TEST_TIMEOUT {
                return Err("no pong and no close".to_owned());
            }
            match self.read() {
                Ok((10, payload)) if payload == ping && !ended => return Ok(Outcome::Answered),
                Ok((9 | 10, _)) => {}
                Ok((1, payload)) => check_message(&payload)?,
                Ok((8, payload)) => return self.closed(&payload),
                Ok((opcode, _)) => return Err(format!("unexpected opcode {opcode}")),
                Err(error) if error.kind() == ErrorKind::WouldBlock && !ended => {
                    if is_whole {
                        return Err("no reply".to_owned());
                    }
                    ended = true;
                    self.stream.set_read_timeout(Some(TEST_TIMEOUT)).unwrap();
                    let _ = self.stream.shutdown(Shutdown::Write);
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    return Err("the server does not close".to_owned());
                }
                Err(error) if error.kind() == ErrorKind::InvalidData => {
                    return Err(error.to_string());
                }
                Err(_) if ended => return Ok(Outcome::Waited),
                Err(error) => {
                    return Err(format!("the connection ended without a close frame: {error}"));
                }
            }
        }
    }

    fn closed(&mut self, payload: &[u8]) -> Result<Outcome, String> {
        let wrong = || format!("closed with {}", payload.escape_ascii());
        if payload.is_empty() {
            return Ok(Outcome::Closed(1005));
        }
        let (code, reason) = payload.split_at_checked(2).ok_or_else(wrong)?;
        let code = u16::from_be_bytes([code[0], code[1]]);
        let is_proper = matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999)
            && std::str::from_utf8(reason).is_ok();
        // 1011 may be an echo of our own close frame; the server's own 1011 has this reason.
        (is_proper && (code != 1011 || reason != b"something went wrong on the server"))
            .then_some(Outcome::Closed(code))
            .ok_or_else(wrong)
    }

    /// Reads the next frame. Frames of a server must be complete and unmasked.
    fn read(&mut self) -> std::io::Result<(u8, Vec<u8>)> {
        loop {
            if let Some((opcode, header, length)) = self.header()?
                && self.unread.len() >= header + length
            {
                let payload = self.unread[header..header + length].to_vec();
                self.unread.drain(..header + length);
                return Ok((opcode, payload));
            }
            let mut buffer = [0; 16 * 1024];
            match self.stream.read(&mut buffer)? {
                0 => return Err(ErrorKind::UnexpectedEof.into()),
                some => self.unread.extend(&buffer[..some]),
            }
        }
    }

    fn header(&self) -> std::io::Result<Option<(u8, usize, usize)>> {
        let [first, second, more @ ..] = &self.unread[..] else { return Ok(None) };
        if first & 0xf0 != 0x80 || second & 0x80 != 0 {
            return Err(std::io::Error::new(
                ErrorKind::InvalidData,
                format!("invalid frame header {first:x} {second:x}"),
            ));
        }
        let (header, length) = match (second, more) {
            (126, [a, b, ..]) => (4, u64::from(u16::from_be_bytes([*a, *b]))),
            (127, [a, b, c, d, e, f, g, h, ..]) => {
                (10, u64::from_be_bytes([*a, *b, *c, *d, *e, *f, *g, *h]))
            }
            (126 | 127, _) => return Ok(None),
            (short, _) => (2, u64::from(*short)),
        };
        Ok(Some((first & 0x0f, header, usize::try_from(length).unwrap())))
    }
}

/// Checks that a message is an error or a patch in either dialect, and does not report a server
/// error.
fn check_message(payload: &[u8]) -> Result<(), String> {
    let text = std::str::from_utf8(payload).map_err(|_| "text that is not UTF-8".to_owned())?;
    let is_json = serde_json::from_str::<Value>(text).is_ok_and(|value| value.is_object());
    let is_right = is_json || text.starts_with('<');
    if is_right && !text.contains("Something went wrong") && !text.contains("<img") {
        return Ok(());
    }
    Err(format!("unexpected message {text:.500}"))
}
