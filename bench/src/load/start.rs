//! How long the site takes to be there, and what it needs while nobody is.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};

use crate::cpu;
use crate::site::{Data, Site};

/// How many starts: the first makes the database, the median of the others is what is told.
const STARTS: usize = 6;
/// How long the site is left alone before its memory is looked at.
const IDLE: Duration = Duration::from_secs(2);

/// What a start costs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Start {
    /// Until the first page was answered, with a new database and with one that is there.
    pub(crate) first: Duration,
    pub(crate) again: Duration,
    /// What the idle process holds that it shares with nobody, and all that it has in memory, in
    /// KiB.
    pub(crate) own: f64,
    pub(crate) resident: f64,
}

/// Starts the site several times on one folder of data.
pub(crate) fn measure() -> anyhow::Result<Start> {
    let data = Data::fresh("start");
    let started = (0..STARTS).map(|_| start(&data)).collect::<anyhow::Result<Vec<_>>>()?;
    let mut again = started[1..].iter().map(|(time, _)| *time).collect::<Vec<_>>();
    again.sort();
    let (own, resident) = started[STARTS - 1].1;
    Ok(Start { first: started[0].0, again: again[again.len() / 2], own, resident })
}

fn start(data: &Data) -> anyhow::Result<(Duration, (f64, f64))> {
    let begun = Instant::now();
    let site = Site::start(data)?;
    let address = &site.address;
    let mut page = TcpStream::connect(address).with_context(|| format!("reach {address}"))?;
    write!(page, "GET / HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    page.read_to_string(&mut answer)?;
    let time = begun.elapsed();
    ensure!(answer.starts_with("HTTP/1.1 200"), "the site answers {answer:.100}");
    std::thread::sleep(IDLE);
    let memory =
        (cpu::memory_kib(site.process(), "RssAnon:")?, cpu::memory_kib(site.process(), "VmRSS:")?);
    Ok((time, memory))
}
