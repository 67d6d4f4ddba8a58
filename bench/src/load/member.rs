//! Minimal WebSocket client, because the server waits for every microsecond spent here.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::rc::Rc;

use anyhow::{Context, bail, ensure};
use bellwire_bench::{HELLO, WELCOME, path};
use tokio::net::TcpStream;

pub(crate) type Stream = Rc<TcpStream>;

const TEXT: u8 = 0x81;
const PING: u8 = 0x89;

/// A client's text frame of at most 125 bytes. The mask is zero, which leaves the bytes unchanged.
pub(crate) fn masked(text: &str) -> Vec<u8> {
    debug_assert!(text.len() <= 125);
    let mut bytes = vec![TEXT, 0x80 | text.len() as u8, 0, 0, 0, 0];
    bytes.extend_from_slice(text.as_bytes());
    bytes
}

/// A member of a room, connected and joined.
pub(crate) struct Member {
    stream: Stream,
    unread: Vec<u8>,
    received: u64,
}

impl Member {
    pub(crate) async fn join(address: SocketAddr, room: u32) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address).await.context("connect")?;
        stream.set_nodelay(true)?;
        let mut member = Self { stream: Rc::new(stream), unread: Vec::new(), received: 0 };
        let request = format!(
            "GET {} HTTP/1.1\r\nHost: {address}\r\nOrigin: http://{address}\r\n\
             Connection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
            path(room)
        );
        member.write(request.as_bytes())?;
        let end = loop {
            if let Some(end) = member.unread.windows(4).position(|window| window == b"\r\n\r\n") {
                break end + 4;
            }
            member.read().await?;
        };
        ensure!(
            member.unread.starts_with(b"HTTP/1.1 101"),
            "the handshake was refused: {}",
            String::from_utf8_lossy(&member.unread)
        );
        member.unread.drain(..end);
        member.write(&masked(HELLO))?;
        while member.unread.len() < 2 + WELCOME.len() {
            member.read().await?;
        }
        ensure!(member.unread[2..] == *WELCOME.as_bytes(), "no welcome");
        member.unread = Vec::new();
        Ok(member)
    }

    pub(crate) fn stream(&self) -> Stream {
        self.stream.clone()
    }

    /// Reads once, and passes the payload of each complete text frame to `receive`, with its
    /// number from 1.
    pub(crate) async fn read_frames(
        &mut self,
        mut receive: impl FnMut(u64, &[u8]) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        self.read().await?;
        let mut start = 0;
        while let Some((kind, from, to)) = next_frame(&self.unread, start) {
            match kind {
                TEXT => {
                    self.received += 1;
                    receive(self.received, &self.unread[from..to])?;
                }
                PING => self.write(&[0x8a, 0x80, 0, 0, 0, 0])?,
                other => bail!("unexpected frame {other:#x}"),
            }
            start = to;
        }
        self.unread.drain(..start);
        Ok(())
    }

    fn write(&self, bytes: &[u8]) -> anyhow::Result<()> {
        let written = self.stream.try_write(bytes)?;
        ensure!(written == bytes.len(), "the server does not read");
        Ok(())
    }

    async fn read(&mut self) -> anyhow::Result<()> {
        loop {
            self.stream.readable().await?;
            let mut some = [0; 16 * 1024];
            match self.stream.try_read(&mut some) {
                Ok(0) => bail!("the server closed a connection"),
                Ok(read) => {
                    self.unread.extend_from_slice(&some[..read]);
                    return Ok(());
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

/// The frame at `start`, if it is complete: its first byte, and the bounds of its payload.
fn next_frame(bytes: &[u8], start: usize) -> Option<(u8, usize, usize)> {
    let (kind, length) = (*bytes.get(start)?, *bytes.get(start + 1)?);
    let (length, from) = match length {
        126 => (
            usize::from(u16::from_be_bytes([*bytes.get(start + 2)?, *bytes.get(start + 3)?])),
            start + 4,
        ),
        length => (usize::from(length), start + 2),
    };
    (bytes.len() >= from + length).then_some((kind, from, from + length))
}
