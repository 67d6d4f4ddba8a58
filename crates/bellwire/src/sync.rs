//! Where the layer takes its locks from: the standard library; and who does what can wait a moment:
//! the runtime. `crates/bellwire/races` reads the same files with another `sync`, whose locks and
//! tasks try out the orders in which they may come.

pub(crate) use std::sync::{
    Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
    atomic,
};

pub(crate) use std::thread_local;

use tokio::runtime::Handle;
use tokio::task::yield_now;

/// Does a job after whoever can be read has been read. A runtime that ends first drops the job; so
/// does a thread without one, such as a database's own.
pub(crate) fn defer(job: impl FnOnce() + Send + 'static) {
    if let Ok(runtime) = Handle::try_current() {
        runtime.spawn(async {
            yield_now().await;
            job();
        });
    }
}
