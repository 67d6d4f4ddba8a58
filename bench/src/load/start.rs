//! Benchmark of the site's start: time to the first response, and idle memory.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};

use crate::cpu;
use crate::site::{Data, Site};

/// Number of starts. The first creates the database; the result is the median of the others.
const STARTS: usize = 6;
/// Idle time before memory is measured.
const IDLE: Duration = Duration::from_secs(2);

/// The cost of a start.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Start {
    /// Time to the first response, with a new database and with an existing one.
    pub(crate) first: Duration,
    pub(crate) again: Duration,
    /// Anonymous and total resident memory of the idle process, in KiB.
    pub(crate) own: f64,
    pub(crate) resident: f64,
}

/// Starts the site several times on one folder of data.
pub(crate) fn measure() -> anyhow::Result<Start> {
    let data = Data::new("start");
    let started = (0..STARTS).map(|_| start(&data)).collect::<anyhow::Result<Vec<_>>>()?;
    let mut again = started[1..].iter().map(|(time, _)| *time).collect::<Vec<_>>();
    again.sort();
    let (own, resident) = started[STARTS - 1].1;
    Ok(Start { first: started[0].0, again: again[again.len() / 2], own, resident })
}

fn start(data: &Data) -> anyhow::Result<(Duration, (f64, f64))> {
    let start = Instant::now();
    let site = Site::start(data)?;
    let address = &site.address;
    let mut page = TcpStream::connect(address).with_context(|| format!("reach {address}"))?;
    write!(page, "GET / HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    page.read_to_string(&mut answer)?;
    let time = start.elapsed();
    ensure!(answer.starts_with("HTTP/1.1 200"), "unexpected response {answer:.100}");
    std::thread::sleep(IDLE);
    let memory =
        (cpu::memory_kib(site.process(), "RssAnon:")?, cpu::memory_kib(site.process(), "VmRSS:")?);
    Ok((time, memory))
}
