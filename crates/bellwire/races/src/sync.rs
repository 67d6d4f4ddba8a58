//! Locks that are shuttle's: wherever one is taken or given back, and at every atomic, another thread may come first.
//!
//! `Arc` and `OnceLock` are the standard library's. What is made once, such as a frame's bytes, is made without taking a lock.

pub(crate) use std::sync::OnceLock;

pub(crate) use shuttle::sync::{
    Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard, atomic,
};
