//! Log lines: their content and number.

use std::cell::RefCell;
use std::io;
use std::sync::Once;

use bellwire::testing::Communicator;
use serde_json::json;

use crate::support::{HANDSHAKE, Member, Server, bellwire};

thread_local! {
    /// The log of this thread. A test and its runtime run on one thread.
    static LOG: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

struct LogOfThisThread;

impl io::Write for LogOfThisThread {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        LOG.with_borrow_mut(|log| log.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Installs a global subscriber. With a subscriber for one thread only, `tracing` would cache an
/// event that first occurs on another thread as disabled.
fn subscribe() {
    static SUBSCRIBED: Once = Once::new();
    SUBSCRIBED.call_once(|| {
        let lines =
            tracing_subscriber::fmt().with_ansi(false).with_writer(|| LogOfThisThread).finish();
        tracing::subscriber::set_global_default(lines).expect("there is no other subscriber");
    });
}

/// The entries of the log. An error with a backtrace has several lines, of which only the first
/// begins with the time.
fn log() -> Vec<String> {
    let log = LOG.with_borrow(|log| String::from_utf8(log.clone()).unwrap());
    let mut entries: Vec<String> = Vec::new();
    for line in log.lines() {
        match entries.last_mut() {
            Some(entry) if !line.starts_with(|c: char| c.is_ascii_digit()) => *entry += line,
            _ => entries.push(line.to_owned()),
        }
    }
    entries
}

#[tokio::test]
async fn an_error_and_a_panic_are_each_logged_once_with_their_scope() {
    subscribe();
    let bellwire = bellwire();
    let builder = Communicator::to(&bellwire, "/ws/chat/hi/").person("user.5");
    let mut browser = builder.connect(Member::silent()).await;
    browser.send_json(&json!({"action": "Complain", "data": {"field": "message"}})).await;
    browser.receive_text().await;
    assert_eq!(log(), Vec::<String>::new(), "a validation error is not logged");

    browser.send_json(&json!({"action": "Fail"})).await;
    browser.receive_text().await;
    let lines = log();
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(
        lines[0].contains("/ws/chat/hi/ of user.5") && lines[0].contains("receive"),
        "{lines:?}"
    );

    browser.send_json(&json!({"action": "Panic"})).await;
    browser.closed().await;
    let lines = log();
    assert_eq!(lines.len(), 3, "{lines:?}");
    assert!(
        lines[1].contains("/ws/chat/hi/ of user.5") && lines[1].contains("a test's panic"),
        "{lines:?}"
    );
    assert!(
        lines[2].contains("closed by the server") && lines[2].contains("see the error above"),
        "the close has a line of its own: {lines:?}"
    );
}

#[tokio::test]
async fn a_refused_origin_is_one_line_with_its_reason_and_remedy() {
    subscribe();
    let server = Server::start(bellwire()).await;
    let evil = ("Origin", "https://evil.example");
    let stream = [("Accept", "text/event-stream"), evil];
    for (request, number) in [([HANDSHAKE, &[evil]].concat(), 1), (stream.to_vec(), 2)] {
        let (_, head) = server.handshake("/ws/", &request).await;
        assert!(head.starts_with("HTTP/1.1 403"), "{head}");
        let lines = log();
        assert_eq!(lines.len(), number, "{lines:?}");
        for part in ["WARN", "/ws/", "`https://evil.example`", "To allow this page, see", "origin"]
        {
            assert!(lines[number - 1].contains(part), "{part} in {lines:?}");
        }
    }
    assert_eq!(server.bellwire.layer().counts().refusals, 2);
}

#[tokio::test]
async fn a_stream_that_stands_in_for_a_refused_socket_is_one_line() {
    subscribe();
    let server = Server::start(bellwire()).await;
    let own = [("Accept", "text/event-stream"), ("Sec-Fetch-Site", "same-origin")];
    for (origin, lines) in [("http%3A%2F%2F127.0.0.1%3A8000", 0), ("https%3A%2F%2Fevil.example", 1)]
    {
        let (_, head) = server.handshake(&format!("/ws/?origin={origin}"), &own).await;
        assert!(head.starts_with("HTTP/1.1 200"), "{head}");
        let log = log();
        assert_eq!(log.len(), lines, "{log:?}");
        assert!(log.iter().all(|line| line.contains("its WebSocket is refused")), "{log:?}");
    }
}
