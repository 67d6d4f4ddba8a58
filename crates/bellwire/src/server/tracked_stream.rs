//! A connection that counts as long as it is open, also after it became a socket, and that is over
//! when nothing is taken from it.

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

/// A stream and its place among the connections, which is free again when the stream is dropped.
#[derive(Debug)]
pub(super) struct TrackedStream {
    stream: TcpStream,
    received: Arc<AtomicBool>,
    /// How long the other end may take nothing of what is written.
    patience: Duration,
    /// Runs while it takes nothing.
    write_timeout: Option<Pin<Box<Sleep>>>,
    _permit: OwnedSemaphorePermit,
}

impl TrackedStream {
    pub(super) fn new(stream: TcpStream, patience: Duration, permit: OwnedSemaphorePermit) -> Self {
        Self { stream, received: Arc::default(), patience, write_timeout: None, _permit: permit }
    }

    /// Whether the other end has said anything yet.
    pub(super) fn received(&self) -> Arc<AtomicBool> {
        self.received.clone()
    }

    /// An error in place of waiting for ever.
    fn bounded(
        &mut self,
        cx: &mut Context<'_>,
        wrote: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        if wrote.is_ready() {
            self.write_timeout = None;
            return wrote;
        }
        let patience = self.patience;
        let write_timeout = self.write_timeout.get_or_insert_with(|| Box::pin(sleep(patience)));
        write_timeout.as_mut().poll(cx).map(|()| {
            Err(io::Error::new(io::ErrorKind::TimedOut, "nothing was taken for too long"))
        })
    }
}

/// Whoever takes nothing at the end is cut off: else the kernel would keep what waits for minutes,
/// for a connection that no bound of ours counts any more.
impl Drop for TrackedStream {
    fn drop(&mut self) {
        if self.write_timeout.is_some() {
            let _ = SockRef::from(&self.stream).set_linger(Some(Duration::ZERO));
        }
    }
}

impl AsyncRead for TrackedStream {
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

impl AsyncWrite for TrackedStream {
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
