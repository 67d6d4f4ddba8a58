//! A server under test, as a process of its own.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use anyhow::Context;

/// Which server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Framework,
    /// The framework's server of another commit, the program that `BELLWIRE_BENCH_AGAINST` names.
    Against,
    /// The least a server can do, all that waits for a socket in one write.
    Together,
    /// The least a server can do, a write for each delivery.
    Each,
}

impl Kind {
    /// The framework and the two bounds.
    pub(crate) const WITH_BOUNDS: [Self; 3] = [Self::Framework, Self::Together, Self::Each];
    /// The framework before and after a change.
    pub(crate) const WITH_AGAINST: [Self; 2] = [Self::Framework, Self::Against];
    const ALL: [Self; 4] = [Self::Framework, Self::Against, Self::Together, Self::Each];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Framework => "framework",
            Self::Against => "against",
            Self::Together => "together",
            Self::Each => "each",
        }
    }

    pub(crate) fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// A running server; ends when dropped, or with this process.
#[derive(Debug)]
pub(crate) struct Server {
    process: Child,
    pub(crate) address: SocketAddr,
}

impl Server {
    /// Starts its program, on the core that `BELLWIRE_BENCH_CORE` names.
    pub(crate) fn start(kind: Kind) -> anyhow::Result<Self> {
        let name = kind.name();
        let (program, how) = match kind {
            Kind::Framework => (beside_this_one("bench-framework")?, None),
            Kind::Against => (against()?, None),
            Kind::Together | Kind::Each => (beside_this_one("bench-bound")?, Some(name)),
        };
        let mut command = pinned(program);
        let mut process =
            command.args(how).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().context(name)?;
        let output = process.stdout.take().context("a server's output")?;
        let mut server = Self { process, address: SocketAddr::from(([127, 0, 0, 1], 0)) };
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line)?;
        server.address = line
            .trim()
            .parse()
            .with_context(|| format!("{name} says {line:?}, not where it listens"))?;
        Ok(server)
    }

    pub(crate) fn process(&self) -> u32 {
        self.process.id()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Nothing can be done about a failure here.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn beside_this_one(name: &str) -> anyhow::Result<PathBuf> {
    Ok(std::env::current_exe()?.with_file_name(name))
}

fn against() -> anyhow::Result<PathBuf> {
    let program =
        std::env::var_os("BELLWIRE_BENCH_AGAINST").context("BELLWIRE_BENCH_AGAINST is not set")?;
    Ok(PathBuf::from(program))
}

/// This program, on the core that `BELLWIRE_BENCH_CORE` names.
pub(crate) fn pinned(program: PathBuf) -> Command {
    match std::env::var("BELLWIRE_BENCH_CORE") {
        Ok(core) => {
            let mut pinned = Command::new("taskset");
            pinned.args(["-c", &core]).arg(program);
            pinned
        }
        Err(_) => Command::new(program),
    }
}
