//! The log of a test: what its thread logs while it does something, so that a test can count it.

use std::cell::RefCell;
use std::io;
use std::marker::PhantomData;
use std::sync::Once;

use tracing::Metadata;
use tracing_subscriber::filter::{DynFilterFn, Targets};
use tracing_subscriber::layer::{Layer, SubscriberExt};

/// What this thread logs, from [`Log::listen`] until it is dropped. Give the test one thread, so
/// that this is the log of everything:
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
    /// What it hears belongs to the thread on which it was made.
    _of_this_thread: PhantomData<*const ()>,
}

impl Log {
    /// Writes down what fits this filter, such as `sqlx=debug`.
    ///
    /// # Panics
    ///
    /// If the filter is not a list of targets with levels, or this thread has a log already.
    pub fn listen(filter: &str) -> Self {
        let filter =
            filter.parse().expect("targets with levels, such as `sqlx=debug,bellwire=info`");
        subscribe();
        let before = HEARD.replace(Some(Heard { filter, text: Vec::new() }));
        assert!(before.is_none(), "a thread has one log at a time");
        Self { _of_this_thread: PhantomData }
    }

    /// What was logged so far.
    pub fn text(&self) -> String {
        HEARD.with_borrow(|heard| {
            heard
                .as_ref()
                .map_or_else(String::new, |heard| String::from_utf8_lossy(&heard.text).into_owned())
        })
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        HEARD.set(None);
    }
}

struct Heard {
    filter: Targets,
    text: Vec<u8>,
}

thread_local! {
    static HEARD: RefCell<Option<Heard>> = const { RefCell::new(None) };
}

/// Subscribes once, for the whole program. With a subscriber for each thread, an event that is
/// first met on a thread without one would be taken for one that nobody wants, on all threads.
fn subscribe() {
    static SUBSCRIBED: Once = Once::new();
    SUBSCRIBED.call_once(|| {
        let lines = tracing_subscriber::fmt::layer().with_ansi(false).with_writer(|| ThisThread);
        let subscriber = tracing_subscriber::registry()
            .with(lines.with_filter(DynFilterFn::new(|event, _| is_wanted(event))));
        tracing::subscriber::set_global_default(subscriber)
            .expect("a test program subscribes to its log here alone");
    });
}

fn is_wanted(event: &Metadata<'_>) -> bool {
    HEARD.with_borrow(|heard| {
        heard.as_ref().is_some_and(|heard| heard.filter.would_enable(event.target(), event.level()))
    })
}

/// Writes into the log of the thread that logs.
struct ThisThread;

impl io::Write for ThisThread {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        HEARD.with_borrow_mut(|heard| {
            if let Some(heard) = heard {
                heard.text.extend_from_slice(bytes);
            }
        });
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
