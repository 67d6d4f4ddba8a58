//! Tests of the graceful shutdown and the connection limit.

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use bellwire_site::{App, SiteState};
use bellwire_testkit::{Log, TestDatabase, TestSite, Window, apply, on_databases, within};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Notify;

/// Signals to hold a request in progress, one pair per site.
#[derive(Debug, Default)]
struct Gate {
    begun: Notify,
    proceed: Notify,
}

async fn slow(State(site): State<SiteState>) -> &'static str {
    let gate = site.own::<Gate>();
    gate.begun.notify_one();
    gate.proceed.notified().await;
    "done"
}

fn routes(_: &SiteState) -> Router<SiteState> {
    Router::new().route("/slow/", get(slow))
}

#[apply(on_databases)]
#[tokio::test]
async fn at_shutdown_sockets_close_with_1012_and_requests_in_progress_are_answered(
    database: TestDatabase,
) {
    let site =
        TestSite::start(&database, vec![bellwire_home::app(), App::new("slow").routes(routes)])
            .await;
    let mut windows = Vec::new();
    for _ in 0..20 {
        windows.push(Window::open(&site.client(), "/ws/").await);
    }
    let (gate, mut client) = (site.state().own::<Gate>(), site.client());
    let request = tokio::spawn(async move { client.get("/slow/").await });
    within("the request", gate.begun.notified()).await;
    let stopping = tokio::spawn(site.stop());
    for window in &mut windows {
        assert_eq!(window.closed().await, 1012);
    }
    gate.proceed.notify_one();
    assert_eq!(within("the answer", request).await.unwrap().text, "done");
    stopping.await.unwrap();
}

#[tokio::test]
async fn a_silent_connection_is_closed_while_others_are_served() {
    let site = TestSite::start(&TestDatabase::Sqlite, vec![bellwire_home::app()]).await;
    let mut silent = TcpStream::connect(site.address()).await.unwrap();
    let mut half = TcpStream::connect(site.address()).await.unwrap();
    half.write_all(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Endless: ").await.unwrap();
    assert_eq!(site.client().get("/").await.status, 200);
    tokio::time::pause(); // from here on time advances when the runtime is idle
    for stream in [&mut silent, &mut half] {
        let mut rest = Vec::new();
        within("the close of the silent connection", stream.read_to_end(&mut rest)).await.unwrap();
    }
    tokio::time::resume();
    let _opened_ahead = TcpStream::connect(site.address()).await.unwrap();
    assert_eq!(site.client().get("/").await.status, 200);
    let log = Log::listen("bellwire_site=info,bellwire=info");
    site.stop().await;
    let log = log.text();
    // A connection that does not end in time would be logged.
    assert!(log.contains("Stopped") && !log.contains("Not everything ended in time"), "{log}");
}

#[tokio::test]
async fn over_the_connection_limit_a_connection_waits_and_sockets_count() {
    let site =
        TestSite::start_with(&TestDatabase::Sqlite, vec![bellwire_home::app()], |settings| {
            settings.serve.connections = 2
        })
        .await;
    let one = Window::open(&site.client(), "/ws/").await;
    let two = Window::open(&site.client(), "/ws/").await;
    let mut client = site.client();
    let third = tokio::spawn(async move { client.get("/").await.status });
    // Enough turns for the server to answer a request on an accepted connection.
    for _ in 0..1000 {
        tokio::task::yield_now().await;
    }
    assert!(!third.is_finished());
    drop(one);
    assert_eq!(third.await.unwrap(), 200);
    drop(two);
    site.stop().await;
}
