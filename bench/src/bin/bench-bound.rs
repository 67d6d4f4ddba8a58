//! Server B, the bound: a bare hub that does nothing but write.
//!
//! ```text
//! bench-bound together    each socket's waiting frames in one write
//! bench-bound each        a write for each delivery
//! ```
//!
//! One thread; a message becomes bytes once; when all that can be read has been read, every member
//! of each room gets everything new, directly, without waking a task. No consumer, no session, no
//! numbers, no limits: the least a server can do that sends the same bytes.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::io::ErrorKind;
use std::rc::Rc;

use anyhow::{Context, bail};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use bellwire_bench::{HELLO, WELCOME, announce, frame};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::{LocalSet, spawn_local, yield_now};

/// What RFC 6455 §1.3 appends to the key before hashing it.
const KEY_SUFFIX: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

#[derive(Default)]
struct Hub {
    /// Whether each delivery is a write of its own.
    each: bool,
    rooms: RefCell<HashMap<u32, Room>>,
    /// Rooms in which something waits to be written.
    fresh: RefCell<Vec<u32>>,
    something_waits: Notify,
}

#[derive(Default)]
struct Room {
    members: Vec<Rc<Peer>>,
    seq: u64,
    waiting: Vec<u8>,
    /// Where each frame ends in `waiting`.
    ends: Vec<usize>,
}

struct Peer {
    stream: TcpStream,
    /// What its socket did not take at once, in order.
    backlog: RefCell<Vec<u8>>,
    catching_up: Cell<bool>,
}

impl Hub {
    fn say(&self, number: u32, text: &str) {
        let mut rooms = self.rooms.borrow_mut();
        let room = rooms.entry(number).or_default();
        if room.waiting.is_empty() {
            self.fresh.borrow_mut().push(number);
            self.something_waits.notify_one();
        }
        room.seq += 1;
        append_frame(&mut room.waiting, frame(number, room.seq, text).as_bytes());
        room.ends.push(room.waiting.len());
    }

    async fn write_what_waits(self: Rc<Self>) {
        loop {
            self.something_waits.notified().await;
            // Whoever can be read now is read first: what they say goes out with the same writes.
            yield_now().await;
            for number in self.fresh.take() {
                let mut rooms = self.rooms.borrow_mut();
                let room = rooms.entry(number).or_default();
                let (waiting, ends) =
                    (std::mem::take(&mut room.waiting), std::mem::take(&mut room.ends));
                let writes = if self.each { &ends[..] } else { &ends[ends.len() - 1..] };
                for member in &room.members {
                    let mut start = 0;
                    for end in writes {
                        member.write(&waiting[start..*end]);
                        start = *end;
                    }
                }
            }
        }
    }
}

impl Peer {
    fn write(self: &Rc<Self>, bytes: &[u8]) {
        let mut backlog = self.backlog.borrow_mut();
        let written =
            if backlog.is_empty() { self.stream.try_write(bytes).unwrap_or(0) } else { 0 };
        if written < bytes.len() {
            backlog.extend_from_slice(&bytes[written..]);
            if !self.catching_up.replace(true) {
                spawn_local(self.clone().catch_up());
            }
        }
    }

    async fn catch_up(self: Rc<Self>) {
        while !self.backlog.borrow().is_empty() {
            if self.stream.writable().await.is_err() {
                return;
            }
            let mut backlog = self.backlog.borrow_mut();
            let written = self.stream.try_write(&backlog);
            match written {
                Ok(written) => drop(backlog.drain(..written)),
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(_) => return,
            }
        }
        self.catching_up.set(false);
    }
}

fn append_frame(out: &mut Vec<u8>, payload: &[u8]) {
    out.push(0x81);
    match payload.len() {
        short @ 0..=125 => out.push(short as u8),
        long => {
            out.push(126);
            out.extend_from_slice(&(long as u16).to_be_bytes());
        }
    }
    out.extend_from_slice(payload);
}

/// One short masked text frame at the front of `bytes`: its payload and its length.
fn unmask(bytes: &[u8]) -> Option<(String, usize)> {
    let (length, start) = match *bytes.get(1)? & 0x7f {
        126 => (usize::from(u16::from_be_bytes([*bytes.get(2)?, *bytes.get(3)?])), 4),
        length => (usize::from(length), 2),
    };
    let mask: [u8; 4] = *bytes.get(start..)?.first_chunk()?;
    let mut text = bytes.get(start + 4..start + 4 + length)?.to_vec();
    let (whole, rest) = text.as_chunks_mut::<4>();
    for four in whole {
        *four = (u32::from_ne_bytes(*four) ^ u32::from_ne_bytes(mask)).to_ne_bytes();
    }
    rest.iter_mut().zip(mask).for_each(|(byte, key)| *byte ^= key);
    Some((String::from_utf8(text).ok()?, start + 4 + length))
}

async fn serve(hub: Rc<Hub>, stream: TcpStream) -> anyhow::Result<()> {
    stream.set_nodelay(true)?;
    let number = shake_hands(&stream).await?;
    let peer = Rc::new(Peer { stream, backlog: RefCell::default(), catching_up: Cell::new(false) });
    hub.rooms.borrow_mut().entry(number).or_default().members.push(peer.clone());
    let mut unread = Vec::new();
    loop {
        peer.stream.readable().await?;
        let mut some = [0; 16 * 1024];
        match peer.stream.try_read(&mut some) {
            Ok(0) => bail!("gone"),
            Ok(read) => unread.extend_from_slice(&some[..read]),
            Err(error) if error.kind() == ErrorKind::WouldBlock => continue,
            Err(error) => return Err(error.into()),
        }
        while let Some((asked, length)) = unmask(&unread) {
            unread.drain(..length);
            answer(&hub, &peer, number, &asked)?;
        }
        unread.shrink_to_fit();
    }
}

fn answer(hub: &Hub, peer: &Rc<Peer>, number: u32, asked: &str) -> anyhow::Result<()> {
    if asked == HELLO {
        let mut welcome = Vec::new();
        append_frame(&mut welcome, WELCOME.as_bytes());
        peer.write(&welcome);
    } else {
        let (_, text) = asked.split_once("\"text\":\"").context("an ask without a text")?;
        hub.say(number, text.trim_end_matches("\"}}"));
    }
    Ok(())
}

/// Reads the request and answers it; returns the number of the room.
async fn shake_hands(stream: &TcpStream) -> anyhow::Result<u32> {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        stream.readable().await?;
        let mut some = [0; 1024];
        match stream.try_read(&mut some) {
            Ok(0) => bail!("gone"),
            Ok(read) => request.extend_from_slice(&some[..read]),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) => return Err(error.into()),
        }
    }
    let request = String::from_utf8(request)?;
    let (_, room) = request.split_once("/ws/").context("no room")?;
    let (room, _) = room.split_once('/').context("no room")?;
    let (_, key) = request.split_once("Sec-WebSocket-Key: ").context("no key")?;
    let (key, _) = key.split_once("\r\n").context("no key")?;
    let hash = sha1_smol::Sha1::from(format!("{key}{KEY_SUFFIX}")).digest().bytes();
    let accept = BASE64.encode(hash);
    let answer = format!(
        "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"
    );
    stream.writable().await?;
    stream.try_write(answer.as_bytes())?;
    Ok(room.parse()?)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    announce(listener.local_addr()?)?;
    let each = match std::env::args().nth(1).as_deref() {
        Some("each") => true,
        Some("together") => false,
        other => bail!("`together` or `each`, not {other:?}"),
    };
    let hub = Rc::new(Hub { each, ..Hub::default() });
    let accepting = async move {
        spawn_local(hub.clone().write_what_waits());
        loop {
            let (stream, _) = listener.accept().await?;
            spawn_local(serve(hub.clone(), stream));
        }
    };
    LocalSet::new().run_until(accepting).await
}
