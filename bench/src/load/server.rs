//! A server under test, in a separate process.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use anyhow::Context;

/// The kind of server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Framework,
    /// The framework at another commit: the program in `BELLWIRE_BENCH_AGAINST`.
    Against,
    /// The lower bound with one write for all pending frames of a socket.
    Together,
    /// The lower bound with a write for each delivery.
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

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// A running server. It ends when dropped, or with this process.
#[derive(Debug)]
pub(crate) struct Server {
    process: Child,
    pub(crate) address: SocketAddr,
    /// The epoch of its positions; `None` at a commit without epochs.
    pub(crate) epoch: Option<String>,
}

impl Server {
    /// Starts the program, pinned to the core in `BELLWIRE_BENCH_CORE`.
    pub(crate) fn start(kind: Kind) -> anyhow::Result<Self> {
        let name = kind.name();
        let (program, mode) = match kind {
            Kind::Framework => (sibling_program("bench-framework")?, None),
            Kind::Against => (against()?, None),
            Kind::Together | Kind::Each => (sibling_program("bench-bound")?, Some(name)),
        };
        let mut command = pinned(program);
        let mut process = command
            .args(mode)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context(name)?;
        let output = process.stdout.take().context("a server's output")?;
        let address = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut server = Self { process, address, epoch: None };
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line)?;
        let mut words = line.split_whitespace();
        let address = words.next().and_then(|address| address.parse().ok());
        server.address =
            address.with_context(|| format!("{name} printed {line:?} instead of its address"))?;
        server.epoch = words.next().map(str::to_owned);
        Ok(server)
    }

    pub(crate) fn process(&self) -> u32 {
        self.process.id()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // A failure cannot be handled here.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn sibling_program(name: &str) -> anyhow::Result<PathBuf> {
    Ok(std::env::current_exe()?.with_file_name(name))
}

fn against() -> anyhow::Result<PathBuf> {
    let program =
        std::env::var_os("BELLWIRE_BENCH_AGAINST").context("BELLWIRE_BENCH_AGAINST is not set")?;
    Ok(PathBuf::from(program))
}

/// The command of this program, pinned to the core in `BELLWIRE_BENCH_CORE`.
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
