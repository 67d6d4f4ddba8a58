//! [`Bellwire`]: the handle to the framework in one process.

mod builder;
#[cfg(feature = "metrics")]
mod figures;
mod shutdown;

use std::fmt;
#[cfg(feature = "js")]
use std::path::{Path, PathBuf};

pub use builder::Builder;

use tokio::time::Instant;
use tokio_util::task::TaskTracker;

use crate::request::{Origins, Scope};
use crate::sync::atomic::{AtomicBool, Ordering};
use crate::sync::{Arc, OnceLock};
use crate::{Layer, Limits};

/// The framework in one process: its layer, its limits, its allowed origins and its shutdown.
///
/// It is cheap to clone. Socket routes need an axum state that it can be extracted from
/// (`FromRef`), and nothing else.
#[derive(Clone)]
pub struct Bellwire(Arc<Inner>);

struct Inner {
    layer: Layer,
    limits: Limits,
    origins: Origins,
    tasks: TaskTracker,
    stopping: AtomicBool,
    started: Instant,
    heartbeat: OnceLock<()>,
    #[cfg(feature = "js")]
    asset_folder: Option<PathBuf>,
}

impl Bellwire {
    /// Starts a builder with the public address of the site. Pages of that origin may open sockets.
    pub fn builder(address: impl Into<String>) -> Builder {
        Builder::new(address.into())
    }

    /// The channel layer: groups and channels.
    pub fn layer(&self) -> &Layer {
        &self.0.layer
    }

    /// The origins whose pages may open sockets.
    pub fn origins(&self) -> &Origins {
        &self.0.origins
    }

    /// The limits of each connection.
    pub fn limits(&self) -> &Limits {
        &self.0.limits
    }

    /// The limit that the open sockets of this person or address exceed, if any.
    pub(crate) fn exceeded_by(&self, scope: &Scope) -> Option<usize> {
        let limits = self.limits();
        let person = scope
            .person()
            .map(|person| (self.layer().sockets_of("person", person), limits.sockets_per_person));
        let address = scope.address().map(|address| {
            (self.layer().sockets_of("address", &address.to_string()), limits.sockets_per_address)
        });
        [person, address]
            .into_iter()
            .flatten()
            .find(|(open, limit)| open > limit)
            .map(|(_, limit)| limit)
    }

    pub(crate) fn stopping(&self) -> bool {
        self.0.stopping.load(Ordering::SeqCst)
    }

    pub(crate) fn tasks(&self) -> &TaskTracker {
        &self.0.tasks
    }

    /// Milliseconds since this handle was built.
    pub(crate) fn now(&self) -> u64 {
        self.clock()()
    }

    /// A clock with the value of [`now`](Self::now). It does not keep the handle alive.
    pub(crate) fn clock(&self) -> impl Fn() -> u64 + Copy + use<> {
        let started = self.0.started;
        move || u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Runs `start` once in the life of this handle: it starts the heartbeat.
    pub(crate) fn start_once(&self, start: impl FnOnce()) {
        self.0.heartbeat.get_or_init(start);
    }

    /// The folder from which the browser client is served in development.
    #[cfg(feature = "js")]
    pub(crate) fn asset_folder(&self) -> Option<&Path> {
        self.0.asset_folder.as_deref()
    }

    pub(crate) fn downgrade(&self) -> impl Fn() -> Option<Bellwire> + Send + 'static {
        let weak = Arc::downgrade(&self.0);
        move || weak.upgrade().map(Bellwire)
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
