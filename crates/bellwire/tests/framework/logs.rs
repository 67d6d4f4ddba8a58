//! What is logged, and how often.

use std::io;
use std::sync::{Arc, Mutex};

use bellwire::testing::Communicator;
use serde_json::json;
use tracing_subscriber::fmt::MakeWriter;

use crate::support::{Member, bellwire};

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn lines(&self) -> Vec<String> {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap().lines().map(str::to_owned).collect()
    }
}

impl io::Write for Log {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(buf)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn a_fault_and_a_panic_are_each_logged_once_with_their_scope() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt().with_writer(log.clone()).with_ansi(false).finish();
    let _guard = tracing::subscriber::set_default(subscriber);

    let bellwire = bellwire();
    let dial = Communicator::to(&bellwire, "/ws/chat/hi/").person("user.5");
    let mut browser = dial.connect(Member::silent()).await;
    browser.send_json(&json!({"action": "Complain", "data": {"field": "message"}})).await;
    browser.receive_text().await;
    assert_eq!(log.lines(), Vec::<String>::new(), "what was typed wrong is nobody's fault");

    browser.send_json(&json!({"action": "Fail"})).await;
    browser.receive_text().await;
    let lines = log.lines();
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].contains("/ws/chat/hi/ of user.5") && lines[0].contains("receive"), "{lines:?}");

    browser.send_json(&json!({"action": "Panic"})).await;
    browser.closed().await;
    let lines = log.lines();
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(lines[1].contains("/ws/chat/hi/ of user.5") && lines[1].contains("a test's panic"), "{lines:?}");
}
