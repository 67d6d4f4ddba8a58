//! The handle that everything hangs on.

use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::task::TaskTracker;

use crate::layer::Layer;
use crate::origin::BadOrigin;
use crate::sync::atomic::{AtomicBool, Ordering};
use crate::sync::{Arc, OnceLock};
use crate::{Close, Limits, Origins, Scope, keeper};

/// How many sockets are closed at once at a stop; between batches there is a short pause, so that not all come back together.
const BATCH: usize = 256;
/// The longest pause between two batches. Each is shorter by chance, so that the batches of several processes do not keep step.
const PAUSE: Duration = Duration::from_millis(40);
/// What part of the time for a stop all pauses together may take at most: the last batch, too, is to have time to end.
const PAUSES: u32 = 4;
/// How often a stop looks for sockets that were still opening when it began.
const LOOK: Duration = Duration::from_millis(20);

/// The framework in one process: its layer, its limits, the origins it trusts, and its end. Cheap to clone; an axum state from which
/// it can be taken (`FromRef`) is all that socket routes need.
#[derive(Clone)]
pub struct Bellwire(Arc<Inner>);

struct Inner {
    layer: Layer,
    limits: Limits,
    origins: Origins,
    tasks: TaskTracker,
    stopping: AtomicBool,
    started: Instant,
    keeper: OnceLock<()>,
}

impl Bellwire {
    /// Begins with the public address of the site, whose pages may open sockets.
    pub fn builder(address: impl Into<String>) -> Builder {
        Builder {
            addresses: vec![address.into()],
            setting: SETTING.into(),
            limits: Limits::default(),
            layer: None,
        }
    }

    /// Groups and channels.
    pub fn layer(&self) -> &Layer {
        &self.0.layer
    }

    /// Whose pages are ours.
    pub fn origins(&self) -> &Origins {
        &self.0.origins
    }

    /// The bounds of every connection.
    pub fn limits(&self) -> &Limits {
        &self.0.limits
    }

    /// Closes every socket with 1012, so that browsers come back by themselves, and waits until every `disconnect` has run, or until
    /// `patience` ends; returns whether all ended. New sockets are refused from now on.
    pub async fn shutdown(&self, patience: Duration) -> bool {
        self.0.stopping.store(true, Ordering::SeqCst);
        self.0.tasks.close();
        let all_closed = async {
            let channels = self.layer().channels();
            let batches = channels.chunks(BATCH);
            let most = longest_pause(batches.len(), patience);
            for batch in batches {
                batch
                    .iter()
                    .for_each(|channel| channel.mailbox.close(Close::new(Close::RESTART, "restarting")));
                tokio::time::sleep(most.mul_f64(chance())).await;
            }
            // A socket whose handshake was under way when the stop began.
            loop {
                self.layer()
                    .channels()
                    .iter()
                    .for_each(|c| c.mailbox.close(Close::new(Close::RESTART, "restarting")));
                if tokio::time::timeout(LOOK, self.0.tasks.wait()).await.is_ok() {
                    return;
                }
            }
        };
        tokio::time::timeout(patience, all_closed).await.is_ok()
    }

    /// The limit that the sockets of this person or address exceed.
    pub(crate) fn exceeded_by(&self, scope: &Scope) -> Option<usize> {
        let limits = self.limits();
        let person = scope
            .person()
            .map(|person| (self.layer().sockets_of("person", person), limits.sockets_per_person));
        let address = scope.address().map(|address| {
            (self.layer().sockets_of("address", &address.to_string()), limits.sockets_per_address)
        });
        [person, address].into_iter().flatten().find(|(open, most)| open > most).map(|(_, most)| most)
    }

    pub(crate) fn stopping(&self) -> bool {
        self.0.stopping.load(Ordering::SeqCst)
    }

    pub(crate) fn tasks(&self) -> &TaskTracker {
        &self.0.tasks
    }

    /// Milliseconds since this process's Bellwire began.
    pub(crate) fn now(&self) -> u64 {
        self.clock()()
    }

    /// The same for later, without a hold on the rest.
    pub(crate) fn clock(&self) -> impl Fn() -> u64 + Copy + use<> {
        let started = self.0.started;
        move || u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Sees to it that somebody looks after the sockets.
    pub(crate) fn keep(&self) {
        self.0.keeper.get_or_init(|| keeper::start(self));
    }

    pub(crate) fn downgrade(&self) -> impl Fn() -> Option<Bellwire> + Send + 'static {
        let weak = Arc::downgrade(&self.0);
        move || weak.upgrade().map(Bellwire)
    }
}

/// How long to wait at most after each of so many batches.
fn longest_pause(batches: usize, patience: Duration) -> Duration {
    let batches = u32::try_from(batches).unwrap_or(u32::MAX).max(1);
    PAUSE.min(patience / PAUSES / batches)
}

/// A share of one that nobody can foretell: no two hashers are alike.
fn chance() -> f64 {
    RandomState::new().hash_one(()) as f64 / u64::MAX as f64
}

/// Where more origins are allowed, as long as nobody names a better place.
const SETTING: &str = "`Bellwire::builder(…).origin(…)`";

/// Builds a [`Bellwire`].
#[derive(Debug)]
pub struct Builder {
    addresses: Vec<String>,
    setting: String,
    limits: Limits,
    layer: Option<Layer>,
}

impl Builder {
    /// Also allows pages of this origin to open sockets.
    #[must_use]
    pub fn origin(mut self, address: impl Into<String>) -> Self {
        self.addresses.push(address.into());
        self
    }

    /// What a refusal calls the setting that allows more origins.
    #[must_use]
    pub fn origin_setting(mut self, name: impl Into<String>) -> Self {
        self.setting = name.into();
        self
    }

    /// Other bounds than the default ones.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Another layer than this process's memory.
    #[must_use]
    pub fn layer(mut self, layer: Layer) -> Self {
        self.layer = Some(layer);
        self
    }

    /// Puts it together.
    ///
    /// # Errors
    /// When an address is not an `http` or `https` URL.
    pub fn build(self) -> Result<Bellwire, BadOrigin> {
        let origins = Origins::new(self.addresses.iter().map(String::as_str), &self.setting)?;
        Ok(Bellwire(Arc::new(Inner {
            layer: self.layer.unwrap_or_else(Layer::memory),
            limits: self.limits,
            origins,
            tasks: TaskTracker::new(),
            stopping: AtomicBool::new(false),
            started: Instant::now(),
            keeper: OnceLock::new(),
        })))
    }
}

impl fmt::Debug for Bellwire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bellwire")
            .field("layer", &self.0.layer)
            .field("origins", &self.0.origins)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_secs(7);

    #[test]
    fn pauses_are_short_and_all_together_leave_most_of_the_time_to_the_last_batch() {
        assert_eq!(longest_pause(8, PATIENCE), PAUSE);
        for batches in [0, 1, 8, 400, 100_000] {
            let all = longest_pause(batches, PATIENCE) * u32::try_from(batches).unwrap();
            assert!(all <= PATIENCE / PAUSES, "{batches} batches: {all:?}");
        }
    }

    #[test]
    fn pauses_do_not_keep_step() {
        let pauses: Vec<_> = (0..100).map(|_| PAUSE.mul_f64(chance())).collect();
        let (shortest, longest) = (pauses.iter().min().unwrap(), pauses.iter().max().unwrap());
        assert!(*longest <= PAUSE && *longest > PAUSE / 2 && *shortest < PAUSE / 2, "{pauses:?}");
    }
}
