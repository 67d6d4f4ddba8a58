//! Server B, the lower bound: a minimal hub that only writes frames.
//!
//! ```text
//! bench-bound together    one write for all pending frames of a socket
//! bench-bound each        a write for each delivery
//! ```
//!
//! One thread. Each message is encoded once. After all readable sockets have been read, new frames
//! are written to every member directly, without waking a task. No consumers, sessions, feeds or
//! limits: the minimum for a server that sends the same bytes.

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

/// The suffix of the key before hashing (RFC 6455 §1.3).
const KEY_SUFFIX: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// The epoch of all positions, which has as many bytes as one of the framework.
const EPOCH: &str = "3f9c2b0a71";

#[derive(Default)]
struct Hub {
    /// Whether each delivery is a separate write.
    each: bool,
    rooms: RefCell<HashMap<u32, Room>>,
    /// Rooms with pending frames.
    dirty: RefCell<Vec<u32>>,
    wake: Notify,
}

#[derive(Default)]
struct Room {
    members: Vec<Rc<Peer>>,
    seq: u64,
    pending: Vec<u8>,
    /// The end of each frame in `pending`.
    ends: Vec<usize>,
}

struct Peer {
    stream: TcpStream,
    /// Bytes that the socket did not accept yet, in order.
    backlog: RefCell<Vec<u8>>,
    catching_up: Cell<bool>,
}

impl Hub {
    fn publish(&self, number: u32, text: &str) {
        let mut rooms = self.rooms.borrow_mut();
        let room = rooms.entry(number).or_default();
        if room.pending.is_empty() {
            self.dirty.borrow_mut().push(number);
            self.wake.notify_one();
        }
        room.seq += 1;
        append_frame(&mut room.pending, frame(number, Some(EPOCH), room.seq, text).as_bytes());
        room.ends.push(room.pending.len());
    }

    async fn flush_loop(self: Rc<Self>) {
        loop {
            self.wake.notified().await;
            // Reads all readable sockets first, so that their messages share the same writes.
            yield_now().await;
            for number in self.dirty.take() {
                let mut rooms = self.rooms.borrow_mut();
                let room = rooms.entry(number).or_default();
                let (pending, ends) =
                    (std::mem::take(&mut room.pending), std::mem::take(&mut room.ends));
                let writes = if self.each { &ends[..] } else { &ends[ends.len() - 1..] };
                for member in &room.members {
                    let mut start = 0;
                    for end in writes {
                        member.write(&pending[start..*end]);
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

/// The short masked text frame at the start of `bytes`: its payload and its length.
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
    let number = handshake(&stream).await?;
    let peer = Rc::new(Peer { stream, backlog: RefCell::default(), catching_up: Cell::new(false) });
    hub.rooms.borrow_mut().entry(number).or_default().members.push(peer.clone());
    let mut unread = Vec::new();
    loop {
        peer.stream.readable().await?;
        let mut some = [0; 16 * 1024];
        match peer.stream.try_read(&mut some) {
            Ok(0) => bail!("disconnected"),
            Ok(read) => unread.extend_from_slice(&some[..read]),
            Err(error) if error.kind() == ErrorKind::WouldBlock => continue,
            Err(error) => return Err(error.into()),
        }
        while let Some((action, length)) = unmask(&unread) {
            unread.drain(..length);
            handle_action(&hub, &peer, number, &action)?;
        }
        unread.shrink_to_fit();
    }
}

fn handle_action(hub: &Hub, peer: &Rc<Peer>, number: u32, action: &str) -> anyhow::Result<()> {
    if action == HELLO {
        let mut welcome = Vec::new();
        append_frame(&mut welcome, WELCOME.as_bytes());
        peer.write(&welcome);
    } else {
        let (_, text) = action.split_once("\"text\":\"").context("an action without a text")?;
        hub.publish(number, text.trim_end_matches("\"}}"));
    }
    Ok(())
}

/// Answers the handshake; returns the room number.
async fn handshake(stream: &TcpStream) -> anyhow::Result<u32> {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        stream.readable().await?;
        let mut some = [0; 1024];
        match stream.try_read(&mut some) {
            Ok(0) => bail!("disconnected"),
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
    let response = format!(
        "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Accept: {accept}\r\n\r\n"
    );
    stream.writable().await?;
    stream.try_write(response.as_bytes())?;
    Ok(room.parse()?)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    announce(listener.local_addr()?, EPOCH)?;
    let each = match std::env::args().nth(1).as_deref() {
        Some("each") => true,
        Some("together") => false,
        other => bail!("expected `together` or `each`, not {other:?}"),
    };
    let hub = Rc::new(Hub { each, ..Hub::default() });
    let accepting = async move {
        spawn_local(hub.clone().flush_loop());
        loop {
            let (stream, _) = listener.accept().await?;
            spawn_local(serve(hub.clone(), stream));
        }
    };
    LocalSet::new().run_until(accepting).await
}
