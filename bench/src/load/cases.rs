//! The measured cases, and the figure that one turn of a case gives.

use std::fmt;
use std::str::FromStr;

use anyhow::Context;

/// The measured cases: rooms, members of each, and messages in flight in each room.
pub(crate) const CASES: [Case; 8] = [
    in_rooms(1, 100, 1),
    in_rooms(1, 100, 4),
    in_rooms(1, 1_000, 1),
    in_rooms(1, 1_000, 4),
    in_rooms(1, 10_000, 1),
    in_rooms(1, 10_000, 4),
    in_rooms(100, 10, 4),
    Case { rooms: 64, members: 1, in_flight: 1, replies: true },
];

const fn in_rooms(rooms: u32, members: usize, in_flight: u64) -> Case {
    Case { rooms, members, in_flight, replies: false }
}

/// A measured case.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Case {
    pub(crate) rooms: u32,
    pub(crate) members: usize,
    pub(crate) in_flight: u64,
    /// Whether to send requests with a reply to the sender only, instead of messages to all.
    pub(crate) replies: bool,
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.replies {
            true => write!(f, "request–reply, {} sockets", self.rooms),
            false => write!(f, "{} × {}", self.rooms, self.members),
        }?;
        write!(f, ", {} in flight", self.in_flight)
    }
}

/// The result of one turn, or the median of several.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Figure {
    /// Processor time of the server for each delivery, user and kernel, in µs.
    pub(crate) cpu: f64,
    /// Deliveries per second.
    pub(crate) rate: f64,
    /// The fraction of the time that the server's core was busy.
    pub(crate) busy: f64,
}

/// The format that a crowd process prints.
impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.cpu, self.rate, self.busy)
    }
}

impl FromStr for Figure {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        let mut numbers = text.split(' ').map(str::parse::<f64>);
        let mut next = || numbers.next().context("a figure has three numbers")?.context("a figure");
        Ok(Self { cpu: next()?, rate: next()?, busy: next()? })
    }
}
