//! How long the site takes to be there, and what it needs while nobody is.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};

use crate::cpu;

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
    /// What the idle process holds that it shares with nobody, and all that it has in memory, in KiB.
    pub(crate) own: f64,
    pub(crate) resident: f64,
}

/// Starts the site, which lies beside this program, several times on one folder of data.
pub(crate) fn measure() -> anyhow::Result<Start> {
    let data = std::env::temp_dir().join(format!("bellwire-bench-{}", std::process::id()));
    let started = (0..STARTS).map(|_| Site::start(&data)).collect::<anyhow::Result<Vec<_>>>();
    // A folder that stays is only untidy.
    let _ = std::fs::remove_dir_all(&data);
    let started = started?;
    let mut again = started[1..].iter().map(|(time, _)| *time).collect::<Vec<_>>();
    again.sort();
    let (own, resident) = started[STARTS - 1].1;
    Ok(Start { first: started[0].0, again: again[again.len() / 2], own, resident })
}

struct Site(Child);

impl Site {
    fn start(data: &std::path::Path) -> anyhow::Result<(Duration, (f64, f64))> {
        let program = std::env::current_exe()?.with_file_name("bellwire");
        let begun = Instant::now();
        let mut process = Command::new(program)
            // Ours, and no setting of the site.
            .env_remove("BELLWIRE_BENCH_CORE")
            .env("BELLWIRE_DATA", data)
            .env("BELLWIRE_BIND", "127.0.0.1:0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .context("start the site")?;
        let output = process.stdout.take().context("the site's output")?;
        let site = Self(process);
        let address = BufReader::new(output)
            .lines()
            .map_while(Result::ok)
            .find_map(|line| {
                line.split_once("http://").map(|(_, address)| address.trim_end_matches('/').to_owned())
            })
            .context("the site does not say where it is")?;
        let mut page = TcpStream::connect(&address).with_context(|| format!("reach {address}"))?;
        write!(page, "GET / HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
        let mut answer = String::new();
        page.read_to_string(&mut answer)?;
        let time = begun.elapsed();
        ensure!(answer.starts_with("HTTP/1.1 200"), "the site answers {answer:.100}");
        std::thread::sleep(IDLE);
        let memory = (cpu::memory_kib(site.0.id(), "RssAnon:")?, cpu::memory_kib(site.0.id(), "VmRSS:")?);
        Ok((time, memory))
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        // Nothing can be done about a failure here.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
