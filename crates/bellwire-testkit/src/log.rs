//! What is logged while a test does something: the way to count what that costs.

use std::io;
use std::sync::{Arc, Mutex};

use tracing::subscriber::DefaultGuard;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::util::SubscriberInitExt;

/// What this thread logs, from [`Log::listen`] until it is dropped. Give the test one thread, so that this is the log of everything:
///
/// ```
/// use bellwire_testkit::Log;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let log = Log::listen("gardens=debug");
/// tracing::debug!(target: "gardens", bed = 5, "Watered a bed");
/// tracing::trace!(target: "gardens", "A drop");
/// assert_eq!(log.text().matches("Watered a bed bed=5").count(), 1);
/// assert_eq!(log.text().lines().count(), 1);
/// # }
/// ```
#[derive(Debug)]
pub struct Log {
    written: Written,
    _listens: DefaultGuard,
}

impl Log {
    /// Writes down what fits this filter, such as `sqlx=debug`.
    pub fn listen(filter: &str) -> Self {
        let written = Written::default();
        let subscriber = tracing_subscriber::fmt()
            .with_writer(written.clone())
            .with_ansi(false)
            .with_env_filter(filter)
            .finish();
        Self { written, _listens: subscriber.set_default() }
    }

    /// What was logged so far.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.written.0.lock().unwrap()).into_owned()
    }
}

#[derive(Debug, Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl io::Write for Written {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(buf)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Written {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}
