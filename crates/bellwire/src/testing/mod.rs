//! Test support: whole routers and single consumers without a network, and the contract tests for
//! layers.

mod browser;
mod browser_connection;
mod communicator;
pub mod contract;

pub use browser::{Browser, Response};
pub use browser_connection::Connection;
pub use communicator::{Communicator, CommunicatorBuilder, PATIENCE, within};
