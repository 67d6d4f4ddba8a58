//! Load generator: starts the servers to compare, sends them the same load in turns, checks every
//! response, and prints the comparison.
//!
//! ```text
//! bench-load delivery [ROUNDS [SECONDS]]    the framework and the two bounds
//! bench-load against [TURNS]                the framework and another commit of it, in turns
//! bench-load rooms [ROUNDS [SECONDS]]       the site with a short room, and with a long one
//! ```
//!
//! `delivery` and `against` start `bench-load crowd SERVER CASE` for each server.
//!
//! Run it with `bin/bench`, which builds it, pins load and server to separate cores, and saves the
//! table.

mod cases;
mod cpu;
mod crowd;
mod idle;
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
use tokio::runtime::{Builder, Runtime};

use crate::cases::CASES;
use crate::server::Kind;

fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let table = arguments.next().unwrap_or_default();
    if table == "crowd" {
        let kind =
            arguments.next().and_then(|name| Kind::from_name(&name)).context("which server")?;
        let case = arguments.next().context("which case")?.parse()?;
        return runtime()?.block_on(crowd::run_turns(kind, case));
    }
    let mut number = |default| arguments.next().map_or(Ok(default), |text| text.parse());
    if table == "against" {
        let text = against(number(30).context("the number of turns")?)?;
        return std::io::stdout().write_all(text.as_bytes()).context("print the table");
    }
    let rounds: usize = number(3).context("the number of rounds")?;
    let seconds = Duration::from_secs(number(2).context("the seconds of a round")? as u64);
    let text = match &*table {
        "delivery" => delivery(rounds, seconds)?,
        "rooms" => table::rooms(&history::interleaved(rounds, seconds)?, rounds, seconds),
        other => bail!("expected `delivery`, `against` or `rooms`, not {other:?}"),
    };
    std::io::stdout().write_all(text.as_bytes()).context("print the table")
}

fn delivery(rounds: usize, seconds: Duration) -> anyhow::Result<String> {
    let mut measured = Vec::new();
    for (number, case) in CASES.into_iter().enumerate() {
        measured.push((case, rounds::compare_with_bounds(number, rounds, seconds)?));
    }
    let memory = runtime()?.block_on(idle::memory_per_socket([Kind::Framework, Kind::Together]))?;
    let start = start::measure().context("the start of the site")?;
    Ok(table::delivery(&measured, memory, start, rounds, seconds))
}

fn against(turns: usize) -> anyhow::Result<String> {
    let mut measured = Vec::new();
    for (number, case) in CASES.into_iter().enumerate() {
        measured.push((case, rounds::compare_with_commit(number, turns)?));
    }
    let memory = runtime()?.block_on(idle::memory_per_socket(Kind::WITH_AGAINST))?;
    Ok(table::against(&measured, memory, turns))
}

fn runtime() -> anyhow::Result<Runtime> {
    Builder::new_current_thread().enable_all().build().context("a runtime")
}
