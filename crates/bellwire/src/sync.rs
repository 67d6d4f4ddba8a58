//! Where the layer takes its locks from: the standard library. `crates/bellwire/races` reads the same files with another `sync`, whose
//! locks try out the orders in which threads may come to them.

pub(crate) use std::sync::{
    Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard, atomic,
};
