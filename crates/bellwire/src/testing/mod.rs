//! Test support: consumers without a network, and the contract tests for layers.

mod communicator;
pub mod contract;

pub use communicator::{Communicator, CommunicatorBuilder, PATIENCE, within};
