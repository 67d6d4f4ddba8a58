//! Locks that are shuttle's: wherever one is taken or given back, and at every atomic, another
//! thread may come first.
//!
//! `Arc` and `OnceLock` are the standard library's. What is made once, such as a frame's bytes, is
//! made without taking a lock.

use std::ops::{Deref, DerefMut};

pub(crate) use std::sync::{LockResult, OnceLock};

pub(crate) use shuttle::thread_local;

pub(crate) use shuttle::sync::{
    Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard, atomic,
};

/// shuttle gives no turn when a lock was given back, for what follows it waits for the next lock.
/// What follows may as well be tokio's or an `Arc`, which shuttle does not see.
#[derive(Debug, Default)]
pub(crate) struct Mutex<T> {
    inner: shuttle::sync::Mutex<T>,
    turn: atomic::AtomicBool,
}

pub(crate) struct MutexGuard<'a, T> {
    inner: Option<shuttle::sync::MutexGuard<'a, T>>,
    turn: &'a atomic::AtomicBool,
}

impl<T> Mutex<T> {
    pub(crate) fn new(value: T) -> Self {
        Self { inner: shuttle::sync::Mutex::new(value), turn: atomic::AtomicBool::new(false) }
    }

    pub(crate) fn lock(&self) -> LockResult<MutexGuard<'_, T>> {
        let guard = |inner| MutexGuard { inner: Some(inner), turn: &self.turn };
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
        self.inner.as_ref().unwrap_or_else(|| unreachable!("given back only when dropped"))
    }
}

impl<T> DerefMut for MutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.inner.as_mut().unwrap_or_else(|| unreachable!("given back only when dropped"))
    }
}

impl<T> Drop for MutexGuard<'_, T> {
    fn drop(&mut self) {
        self.inner = None;
        if !std::thread::panicking() {
            let _: bool = self.turn.load(atomic::Ordering::Relaxed);
        }
    }
}

/// Does a job some time later, whenever the scheduler comes to it.
pub(crate) fn defer(job: impl FnOnce() + Send + 'static) {
    drop(shuttle::future::spawn(async { job() }));
}
