//! Tests that run the `bellwire` program as an operator does.

mod support;
mod room_client;
mod run_size;

mod serve;
mod navigation;
mod user;
mod seed;
mod check;
mod store;
mod failures;
mod kills;
mod restart;
mod slow_readers;
#[cfg(target_os = "linux")]
mod trace;
mod limits;
#[cfg(target_os = "linux")]
mod mutate;
#[cfg(target_os = "linux")]
mod requests;
#[cfg(target_os = "linux")]
mod frames;
