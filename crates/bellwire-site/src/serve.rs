//! The accept loop, and the end.
//!
//! `axum::serve` waits for ever for a request's headers, so the loop is our own: a cap on connections, a time limit for
//! headers, and a stop that leaves nobody in the middle of something.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tower::ServiceExt;

use crate::SiteState;
use crate::client::Peer;

mod counted;

use counted::Counted;

/// How long a browser may take to send the head of a request. Slower ones are closed.
const HEADERS: Duration = Duration::from_secs(10);

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
    end: impl Future<Output = ()>,
) {
    let graceful = GracefulShutdown::new();
    tokio::select! {
        () = accept(&listener, &router, &graceful, site.settings().connections) => {}
        () = end => {}
    }
    drop(listener);
    tracing::info!("Stopping");
    let requests = tokio::time::timeout(FAREWELL, graceful.shutdown());
    let (requests, sockets) = tokio::join!(requests, site.bellwire().shutdown(FAREWELL));
    if requests.is_err() || !sockets {
        tracing::warn!(requests = requests.is_ok(), sockets, "Not everything ended in time");
    }
    if tokio::time::timeout(LAST_WRITES, site.db().close()).await.is_err() {
        tracing::warn!("The database did not close in time");
    }
    tracing::info!("Stopped");
}

async fn accept(listener: &TcpListener, router: &Router, graceful: &GracefulShutdown, most: usize) {
    let places = Arc::new(Semaphore::new(most));
    // The semaphore is never closed: there is always a place to come.
    while let Ok(place) = places.clone().acquire_owned().await {
        match listener.accept().await {
            Ok((stream, peer)) => open(stream, Peer(peer.ip()), place, router.clone(), graceful),
            Err(error) => {
                tracing::warn!(%error, "Could not accept a connection");
                tokio::time::sleep(BREATH).await;
            }
        }
    }
}

/// Serves one connection in a task of its own. It keeps its place as long as it is open, a socket included.
fn open(
    stream: TcpStream,
    peer: Peer,
    place: OwnedSemaphorePermit,
    router: Router,
    graceful: &GracefulShutdown,
) {
    let _ = stream.set_nodelay(true); // small frames must not wait for more; without it they only come later
    let service = hyper::service::service_fn(move |request: Request<hyper::body::Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(peer);
        router.clone().oneshot(request)
    });
    let mut builder = auto::Builder::new(TokioExecutor::new()).http1_only();
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEADERS);
    let stream = TokioIo::new(Counted::new(stream, place));
    let connection = graceful.watch(builder.serve_connection_with_upgrades(stream, service).into_owned());
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "A connection ended badly");
        }
    });
}

/// Ends when the process is asked to end.
pub(crate) async fn asked_to_end() {
    let interrupted = async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    tokio::select! {
        () = interrupted => {}
        () = terminated() => {}
    }
}

#[cfg(unix)]
async fn terminated() {
    match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
        Ok(mut signal) => {
            signal.recv().await;
        }
        Err(_) => std::future::pending().await,
    }
}

#[cfg(not(unix))]
async fn terminated() {
    std::future::pending().await
}
