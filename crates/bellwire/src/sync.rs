//! Synchronization primitives: locks from the standard library, and deferred jobs on the tokio
//! runtime. `crates/bellwire/races` compiles the same files with another `sync`, whose locks and
//! tasks explore the possible interleavings.

pub(crate) use std::sync::{
    Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
    atomic,
};

pub(crate) use std::thread_local;

use tokio::runtime::Handle;
use tokio::task::yield_now;

/// Runs a job on the next scheduler tick, after the tasks that are ready now. The job is dropped if
/// the runtime ends first, and on a thread without a runtime, such as a database's own.
pub(crate) fn defer(job: impl FnOnce() + Send + 'static) {
    if let Ok(runtime) = Handle::try_current() {
        runtime.spawn(async {
            yield_now().await;
            job();
        });
    }
}
