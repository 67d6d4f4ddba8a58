//! The load generator: starts what is to be compared, asks it in turns and in the same way, checks every answer, and prints how
//! they compare.
//!
//! ```text
//! bench-load delivery [ROUNDS [SECONDS]]    the framework's server and the two bounds
//! bench-load rooms [ROUNDS [SECONDS]]       the site with a short room, and with a long one
//! ```
//!
//! Run it by `bin/bench`, which builds it, gives load and server a core each, and keeps the table.

mod cpu;
mod server;
mod member;
mod room;
mod rounds;
mod site;
mod start;
mod visitor;
mod history;
mod table;

use std::io::Write as _;
use std::time::Duration;

use anyhow::{Context, bail};

use crate::rounds::{Case, Figures};

/// What is measured: rooms, members in each, and how many messages of a room are on their way at once.
const CASES: [Case; 8] = [
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

fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let table = arguments.next().unwrap_or_default();
    let mut number = |default| arguments.next().map_or(Ok(default), |text| text.parse());
    let rounds: usize = number(3).context("the number of rounds")?;
    let seconds = Duration::from_secs(number(2).context("the seconds of a round")? as u64);
    let text = match &*table {
        "delivery" => delivery(rounds, seconds)?,
        "rooms" => table::rooms(&history::interleaved(rounds, seconds)?, rounds, seconds),
        other => bail!("`delivery` or `rooms`, not {other:?}"),
    };
    std::io::stdout().write_all(text.as_bytes()).context("print the table")
}

fn delivery(rounds: usize, seconds: Duration) -> anyhow::Result<String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut measured = Vec::new();
    for case in CASES {
        let figures: Figures = runtime.block_on(rounds::interleaved(case, rounds, seconds))?;
        measured.push((case, figures));
    }
    let memory = runtime.block_on(rounds::memory_per_idle_socket())?;
    let start = start::measure().context("the start of the site")?;
    Ok(table::delivery(&measured, memory, start, rounds, seconds))
}
