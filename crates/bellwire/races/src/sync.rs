//! Synchronization types of shuttle: at every lock, unlock and atomic operation, the scheduler may
//! switch to another thread.
//!
//! `Arc` and `OnceLock` are the standard library's. A value that is initialized once, such as a
//! frame's bytes, is initialized without taking a lock.

use std::ops::{Deref, DerefMut};

pub(crate) use std::sync::{LockResult, OnceLock};

pub(crate) use shuttle::thread_local;

pub(crate) use shuttle::sync::{
    Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard, atomic,
};

/// A mutex with a scheduling point after its release. shuttle has none there: it assumes that the
/// next visible operation is another lock. It may also be one of tokio's types or of an `Arc`,
/// which shuttle does not observe.
#[derive(Debug, Default)]
pub(crate) struct Mutex<T> {
    inner: shuttle::sync::Mutex<T>,
    yield_point: atomic::AtomicBool,
}

pub(crate) struct MutexGuard<'a, T> {
    inner: Option<shuttle::sync::MutexGuard<'a, T>>,
    yield_point: &'a atomic::AtomicBool,
}

impl<T> Mutex<T> {
    pub(crate) fn new(value: T) -> Self {
        Self {
            inner: shuttle::sync::Mutex::new(value),
            yield_point: atomic::AtomicBool::new(false),
        }
    }

    pub(crate) fn lock(&self) -> LockResult<MutexGuard<'_, T>> {
        let guard = |inner| MutexGuard { inner: Some(inner), yield_point: &self.yield_point };
        self.inner
            .lock()
            .map(guard)
            .map_err(|poisoned| PoisonError::new(guard(poisoned.into_inner())))
    }

    pub(crate) fn get_mut(&mut self) -> LockResult<&mut T> {
        self.inner.get_mut()
    }
}

impl<T> Deref for MutexGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.inner.as_ref().unwrap_or_else(|| unreachable!("released only on drop"))
    }
}

impl<T> DerefMut for MutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.inner.as_mut().unwrap_or_else(|| unreachable!("released only on drop"))
    }
}

impl<T> Drop for MutexGuard<'_, T> {
    fn drop(&mut self) {
        self.inner = None;
        if !std::thread::panicking() {
            let _: bool = self.yield_point.load(atomic::Ordering::Relaxed);
        }
    }
}

/// Runs a job later, at a time that the scheduler chooses.
pub(crate) fn defer(job: impl FnOnce() + Send + 'static) {
    drop(shuttle::future::spawn(async { job() }));
}
