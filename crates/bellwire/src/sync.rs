//! Where the layer takes its locks from: the standard library; and who does what can wait a moment: the runtime. `crates/bellwire/races`
//! reads the same files with another `sync`, whose locks and tasks try out the orders in which they may come.

pub(crate) use std::sync::{
    Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard, atomic,
};

use tokio::runtime::Handle;
use tokio::task::yield_now;

/// Does a job after whoever can be read has been read; without a runtime, as on a database's own thread, here and now. A runtime that
/// ends first drops the job.
pub(crate) fn soon(job: impl FnOnce() + Send + 'static) {
    match Handle::try_current() {
        Ok(runtime) => drop(runtime.spawn(async {
            yield_now().await;
            job();
        })),
        Err(_) => job(),
    }
}
