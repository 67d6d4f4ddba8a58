//! The program as the operator sees it.

mod support;
mod window;
mod size;

mod serve;
mod places;
mod user;
mod seed;
mod check;
mod store;
mod hard_times;
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
