//! The accept loop, and the end.
//!
//! `axum::serve` waits for ever for a request's headers, so the loop is our own: a cap on connections, a time limit for
//! headers and for answers that nobody takes, and a stop that leaves nobody in the middle of something.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use socket2::SockRef;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt;

use crate::accounts::Watch;
use crate::client::Peer;
use crate::{Patience, SiteState};

mod counted;

use counted::Counted;

/// The longest head of a request, in bytes. A longer one is answered with 431.
const HEAD: usize = 64 * 1024;

/// How much the kernel may keep of what was written and not taken yet (Linux doubles it). Without a bound it grows to megabytes for each
/// slow reader, out of sight of our own bounds; and it is enough for 2 MB a second at a distance of 100 ms.
const SEND_BUFFER: usize = 128 * 1024;

/// How long requests and sockets may take to end at a stop; then the process ends without them.
const FAREWELL: Duration = Duration::from_secs(7);

/// How long the last writes may take at a stop.
const LAST_WRITES: Duration = Duration::from_secs(2);

/// How long to wait after a connection could not be accepted, for want of file descriptors for example.
const BREATH: Duration = Duration::from_millis(100);

/// Serves connections until `end`, then brings everything to its end.
pub(crate) async fn serve(
    listener: TcpListener,
    router: Router,
    site: &SiteState,
    watch: Watch,
    end: impl Future<Output = ()>,
) {
    let patience = site.settings().patience;
    let door = Door { router, patience, ending: CancellationToken::new(), connections: TaskTracker::new() };
    tokio::select! {
        () = accept(&listener, &door, site.settings().connections) => {}
        () = watch.run() => {}
        () = end => {}
    }
    drop(listener);
    tracing::info!("Stopping");
    door.ending.cancel();
    door.connections.close();
    let requests = tokio::time::timeout(FAREWELL, door.connections.wait());
    let (requests, sockets) = tokio::join!(requests, site.bellwire().shutdown(FAREWELL));
    if requests.is_err() || !sockets {
        tracing::warn!(requests = requests.is_ok(), sockets, "Not everything ended in time");
    }
    if tokio::time::timeout(LAST_WRITES, site.db().close()).await.is_err() {
        tracing::warn!("The database did not close in time");
    }
    tracing::info!("Stopped");
}

async fn accept(listener: &TcpListener, door: &Door, most: usize) {
    let places = Arc::new(Semaphore::new(most));
    // The semaphore is never closed: there is always a place to come.
    while let Ok(place) = places.clone().acquire_owned().await {
        match listener.accept().await {
            Ok((stream, peer)) => door.open(stream, Peer(peer.ip()), place),
            Err(error) => {
                tracing::warn!(%error, "Could not accept a connection");
                tokio::time::sleep(BREATH).await;
            }
        }
    }
}

/// What every connection leads to.
struct Door {
    router: Router,
    patience: Patience,
    /// Tells connections to end after the request they are at.
    ending: CancellationToken,
    /// Those that still speak HTTP. Sockets are looked after by Bellwire.
    connections: TaskTracker,
}

impl Door {
    /// Serves one connection in a task of its own. It keeps its place as long as it is open, a socket included.
    fn open(&self, stream: TcpStream, peer: Peer, place: OwnedSemaphorePermit) {
        // What is refused here costs speed or memory, not truth.
        let _ = stream.set_nodelay(true); // small frames must not wait for more
        let _ = SockRef::from(&stream).set_send_buffer_size(SEND_BUFFER);
        // Who vanished without a word answers nothing: a stream of events, which only writes, has no other way to notice.
        #[cfg(target_os = "linux")]
        let _ = SockRef::from(&stream).set_tcp_user_timeout(Some(self.patience.response));
        let router = self.router.clone();
        let service = hyper::service::service_fn(move |request: Request<hyper::body::Incoming>| {
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(peer);
            router.clone().oneshot(request)
        });
        let stream = Counted::new(stream, self.patience.response, place);
        let (heard, ending) = (stream.heard(), self.ending.clone());
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(self.patience.headers)
            .max_buf_size(HEAD)
            .serve_connection(TokioIo::new(stream), service)
            .with_upgrades();
        self.connections.spawn(async move {
            let mut connection = pin!(connection);
            let ended = tokio::select! {
                ended = connection.as_mut() => ended,
                () = ending.cancelled() => {
                    if !heard.load(Ordering::Relaxed) {
                        return; // opened ahead by a browser, and not used yet
                    }
                    connection.as_mut().graceful_shutdown();
                    connection.await
                }
            };
            if let Err(error) = ended {
                tracing::debug!(%error, "A connection ended badly");
            }
        });
    }
}

/// Raises the number of files that may be open to the most this process is allowed: every connection is one.
pub(crate) fn raise_file_limit() {
    match rlimit::increase_nofile_limit(u64::MAX) {
        Ok(files) => tracing::debug!(files, "Raised the limit of open files"),
        Err(error) => tracing::warn!(%error, "Could not raise the limit of open files"),
    }
}

/// Listens from now on, and ends when the process is asked to end: by SIGTERM or Ctrl-C. Where the system does not let us
/// listen, nothing but the system's own way ends it.
///
/// Call it before saying that the site is there: who reads that may ask for the end at once.
#[cfg(unix)]
pub fn asked_to_end() -> impl Future<Output = ()> + Send + 'static {
    use tokio::signal::unix::{SignalKind, signal};
    let signals = [SignalKind::terminate(), SignalKind::interrupt()].map(signal);
    async move {
        let [terminated, interrupted] = signals.map(|signal| async {
            match signal {
                Ok(mut signal) => drop(signal.recv().await),
                Err(_) => std::future::pending().await,
            }
        });
        tokio::select! {
            () = terminated => {}
            () = interrupted => {}
        }
    }
}

/// Ends when the process is asked to end: by Ctrl-C.
#[cfg(not(unix))]
pub fn asked_to_end() -> impl Future<Output = ()> + Send + 'static {
    async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
