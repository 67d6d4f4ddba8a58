//! The accept loop and the shutdown of a server.
//!
//! `axum::serve` waits for the headers of a request without a timeout. This loop limits the number
//! of connections, the time for headers and the time for responses that the peer does not read. Its
//! shutdown lets requests finish.

use std::fmt;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use socket2::SockRef;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt;

use crate::{Bellwire, ServeLimits};

mod limited_stream;
mod process;

use limited_stream::LimitedStream;
pub use process::{raise_file_limit, shutdown_signal};

/// hyper's minimum buffer size, in bytes. hyper panics if it is given less.
const MIN_HEADER_BYTES: usize = 8 * 1024;

/// The pause after a failed accept, for example when no file descriptor is left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves an app on a listener; see [`Serve::until`].
///
/// ```no_run
/// use axum::{Router, routing::get};
/// use bellwire::Bellwire;
/// use tokio::net::TcpListener;
///
/// # async fn start() -> Result<(), Box<dyn std::error::Error>> {
/// let bellwire = Bellwire::builder("http://127.0.0.1:8000").build()?;
/// let app = Router::new().route("/", get(async || "Hello"));
/// let listener = TcpListener::bind("127.0.0.1:8000").await?;
/// bellwire::serve(listener, app, &bellwire).until(bellwire::shutdown_signal()).await;
/// # Ok(()) }
/// ```
pub fn serve(listener: TcpListener, app: Router, bellwire: &Bellwire) -> Serve {
    Serve { listener, app, bellwire: bellwire.clone(), limits: ServeLimits::default() }
}

/// A server that is ready to run; see [`serve`].
#[must_use = "a server starts with `until`"]
pub struct Serve {
    listener: TcpListener,
    app: Router,
    bellwire: Bellwire,
    limits: ServeLimits,
}

impl Serve {
    /// Sets the limits. The default is [`ServeLimits::default`].
    pub fn limits(mut self, limits: ServeLimits) -> Self {
        self.limits = limits;
        self
    }

    /// Serves connections until `end` completes. Then it stops accepting, closes every socket with
    /// 1012 and lets requests finish, within [`ServeLimits::shutdown`].
    ///
    /// Each request carries the peer's address as `ConnectInfo<SocketAddr>`.
    pub async fn until(self, end: impl Future<Output = ()>) {
        let Self { listener, app, bellwire, limits } = self;
        let server = Server {
            app,
            limits,
            ending: CancellationToken::new(),
            connections: TaskTracker::new(),
        };
        tokio::select! {
            () = accept(&listener, &server) => {}
            () = end => {}
        }
        drop(listener);
        tracing::info!("Stopping");
        server.ending.cancel();
        server.connections.close();
        let requests = tokio::time::timeout(limits.shutdown, server.connections.wait());
        let (requests, sockets) = tokio::join!(requests, bellwire.shutdown(limits.shutdown));
        if requests.is_err() || !sockets {
            tracing::warn!(
                requests = requests.is_ok(),
                sockets,
                "Not everything ended in time. Stopping without waiting any longer"
            );
        }
    }
}

impl fmt::Debug for Serve {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Serve")
            .field("listener", &self.listener)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

async fn accept(listener: &TcpListener, server: &Server) {
    let permits = Arc::new(Semaphore::new(server.limits.connections));
    // The semaphore is never closed, so `acquire_owned` never fails.
    while let Ok(permit) = permits.clone().acquire_owned().await {
        match listener.accept().await {
            Ok((stream, peer)) => server.open(stream, peer, permit),
            Err(error) => {
                tracing::warn!(%error, "Could not accept a connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// The state that all connections share.
struct Server {
    app: Router,
    limits: ServeLimits,
    /// Tells connections to end after the current request.
    ending: CancellationToken,
    /// The connections that still speak HTTP. [`Bellwire::shutdown`] ends the sockets.
    connections: TaskTracker,
}

impl Server {
    /// Serves one connection in its own task. The connection keeps its permit while it is open,
    /// also after it was upgraded to a socket.
    fn open(&self, stream: TcpStream, peer: SocketAddr, permit: OwnedSemaphorePermit) {
        let limits = self.limits;
        // If the kernel refuses these options, speed or memory suffers, but not correctness.
        let _ = stream.set_nodelay(true); // Small frames must not wait for more data.
        let _ = SockRef::from(&stream).set_send_buffer_size(limits.send_buffer);
        // A peer that vanished acknowledges nothing. An event stream only writes, so it has no
        // other way to notice.
        #[cfg(target_os = "linux")]
        let _ = SockRef::from(&stream).set_tcp_user_timeout(Some(limits.response));
        let app = self.app.clone();
        let service = hyper::service::service_fn(move |request: Request<hyper::body::Incoming>| {
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(ConnectInfo(peer));
            app.clone().oneshot(request)
        });
        let stream = LimitedStream::new(stream, limits.response, permit);
        let (received, ending) = (stream.received(), self.ending.clone());
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(limits.headers)
            .max_buf_size(limits.header_bytes.max(MIN_HEADER_BYTES))
            .serve_connection(TokioIo::new(stream), service)
            .with_upgrades();
        self.connections.spawn(async move {
            let mut connection = pin!(connection);
            let ended = tokio::select! {
                ended = connection.as_mut() => ended,
                () = ending.cancelled() => {
                    if !received.load(Ordering::Relaxed) {
                        return; // A browser opened it in advance and has not used it yet.
                    }
                    connection.as_mut().graceful_shutdown();
                    connection.await
                }
            };
            if let Err(error) = ended {
                tracing::debug!(%error, "A connection ended with an error");
            }
        });
    }
}
