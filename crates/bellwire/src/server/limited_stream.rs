//! A TCP stream that holds a connection permit while it is open, also after an upgrade to a socket,
//! and that fails when its peer reads nothing for too long.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Sleep, sleep};

/// A stream and its connection permit, which is released when the stream is dropped.
#[derive(Debug)]
pub(super) struct LimitedStream {
    stream: TcpStream,
    received: Arc<AtomicBool>,
    /// The longest time for which a write may be blocked.
    write_limit: Duration,
    /// Runs while a write is blocked.
    write_timeout: Option<Pin<Box<Sleep>>>,
    _permit: OwnedSemaphorePermit,
}

impl LimitedStream {
    pub(super) fn new(
        stream: TcpStream,
        write_limit: Duration,
        permit: OwnedSemaphorePermit,
    ) -> Self {
        Self { stream, received: Arc::default(), write_limit, write_timeout: None, _permit: permit }
    }

    /// Whether the peer has sent any byte yet.
    pub(super) fn received(&self) -> Arc<AtomicBool> {
        self.received.clone()
    }

    /// Returns an error instead of waiting for ever.
    fn bounded(
        &mut self,
        cx: &mut Context<'_>,
        wrote: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        if wrote.is_ready() {
            self.write_timeout = None;
            return wrote;
        }
        let write_limit = self.write_limit;
        let write_timeout = self.write_timeout.get_or_insert_with(|| Box::pin(sleep(write_limit)));
        write_timeout.as_mut().poll(cx).map(|()| {
            Err(io::Error::new(io::ErrorKind::TimedOut, "the peer read nothing for too long"))
        })
    }
}

/// Resets the connection if a write is still blocked at the end. Otherwise the kernel would keep
/// the unsent bytes for minutes, for a connection that no longer counts toward any limit.
impl Drop for LimitedStream {
    fn drop(&mut self) {
        if self.write_timeout.is_some() {
            let _ = SockRef::from(&self.stream).set_linger(Some(Duration::ZERO));
        }
    }
}

impl AsyncRead for LimitedStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, buf);
        if buf.filled().len() > before {
            self.received.store(true, Ordering::Relaxed);
        }
        read
    }
}

impl AsyncWrite for LimitedStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let wrote = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.bounded(cx, wrote)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let wrote = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.bounded(cx, wrote)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
