//! The log of a test: collects the log lines of its thread.

use std::cell::RefCell;
use std::io;
use std::marker::PhantomData;
use std::sync::Once;

use tracing::Metadata;
use tracing_subscriber::filter::{DynFilterFn, Targets};
use tracing_subscriber::layer::{Layer, SubscriberExt};

/// The log lines of the current thread, from [`Log::listen`] until the log is dropped. Run the test
/// on one thread, so that the log is complete:
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
    /// A log belongs to the thread that created it, so it is not `Send`.
    _of_this_thread: PhantomData<*const ()>,
}

impl Log {
    /// Starts to collect the lines that match `filter`, such as `sqlx=debug`.
    ///
    /// # Panics
    ///
    /// If the filter is not a list of targets with levels, or this thread has a log already.
    pub fn listen(filter: &str) -> Self {
        let filter =
            filter.parse().expect("targets with levels, such as `sqlx=debug,bellwire=info`");
        subscribe();
        let previous = COLLECTED.replace(Some(Collected { filter, text: Vec::new() }));
        assert!(previous.is_none(), "a thread has one log at a time");
        Self { _of_this_thread: PhantomData }
    }

    /// Returns the lines so far.
    pub fn text(&self) -> String {
        COLLECTED.with_borrow(|log| {
            log.as_ref()
                .map_or_else(String::new, |log| String::from_utf8_lossy(&log.text).into_owned())
        })
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        COLLECTED.set(None);
    }
}

struct Collected {
    filter: Targets,
    text: Vec<u8>,
}

thread_local! {
    static COLLECTED: RefCell<Option<Collected>> = const { RefCell::new(None) };
}

/// Subscribes once for the whole program. tracing caches whether an event is enabled: with one
/// subscriber per thread, an event first reached on a thread without one would be disabled on all
/// threads.
fn subscribe() {
    static SUBSCRIBED: Once = Once::new();
    SUBSCRIBED.call_once(|| {
        let lines = tracing_subscriber::fmt::layer().with_ansi(false).with_writer(|| ThisThread);
        let subscriber = tracing_subscriber::registry()
            .with(lines.with_filter(DynFilterFn::new(|event, _| is_enabled(event))));
        tracing::subscriber::set_global_default(subscriber)
            .expect("a test program should have no other subscriber");
    });
}

fn is_enabled(event: &Metadata<'_>) -> bool {
    COLLECTED.with_borrow(|log| {
        log.as_ref().is_some_and(|log| log.filter.would_enable(event.target(), event.level()))
    })
}

/// Writes to the log of the current thread.
struct ThisThread;

impl io::Write for ThisThread {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        COLLECTED.with_borrow_mut(|log| {
            if let Some(log) = log {
                log.text.extend_from_slice(bytes);
            }
        });
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
