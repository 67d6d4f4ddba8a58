//! Log lines: their content and number.

use std::cell::RefCell;
use std::io;
use std::sync::Once;

use bellwire::testing::Communicator;
use serde_json::json;

use crate::support::{Member, bellwire};

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

fn log() -> Vec<String> {
    LOG.with_borrow(|log| {
        String::from_utf8(log.clone()).unwrap().lines().map(str::to_owned).collect()
    })
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
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(
        lines[1].contains("/ws/chat/hi/ of user.5") && lines[1].contains("a test's panic"),
        "{lines:?}"
    );
}
