//! Tests of consumers without a network.

mod communicator;
pub mod contract;

pub use communicator::{Communicator, Dial, PATIENCE, within};
