//! The site under test: the `bellwire` program next to this one, with its own data folder.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use anyhow::{Context, ensure};

use crate::server::pinned;

/// A data folder, removed when dropped.
#[derive(Debug)]
pub(crate) struct Data(PathBuf);

impl Data {
    pub(crate) fn new(name: &str) -> Self {
        Self(std::env::temp_dir().join(format!("bellwire-bench-{}-{name}", std::process::id())))
    }
}

impl Drop for Data {
    fn drop(&mut self) {
        // A leftover folder is harmless.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A running site. It ends when dropped.
#[derive(Debug)]
pub(crate) struct Site {
    process: Child,
    /// The address it listens on: `127.0.0.1:8000`.
    pub(crate) address: String,
    /// Kept open, because writes to a closed pipe fail.
    _output: BufReader<ChildStdout>,
}

impl Site {
    pub(crate) fn start(data: &Data) -> anyhow::Result<Self> {
        let mut command = program(&data.0)?;
        command.env("BELLWIRE_BIND", "127.0.0.1:0").stdin(Stdio::null()).stdout(Stdio::piped());
        let mut process = command.stderr(Stdio::null()).spawn().context("start the site")?;
        let mut output = BufReader::new(process.stdout.take().context("the site's output")?);
        let address = output.by_ref().lines().map_while(Result::ok).find_map(|line| {
            line.split_once("http://").map(|(_, address)| address.trim_end_matches('/').to_owned())
        });
        let mut site = Self { process, address: String::new(), _output: output };
        site.address = address.context("the site printed no address")?;
        Ok(site)
    }

    pub(crate) fn process(&self) -> u32 {
        self.process.id()
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        // A failure cannot be handled here.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Seeds the database in this folder, with a room of `messages` messages.
pub(crate) fn seed(data: &Data, room: &str, messages: u64) -> anyhow::Result<()> {
    let mut command = program(&data.0)?;
    command.args(["seed", "--room", room, "--messages", &messages.to_string()]);
    let output = command.stdin(Stdio::null()).output().context("seed the site")?;
    ensure!(output.status.success(), "seeding failed: {}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}

/// The command of the program, without the settings of the environment.
fn program(data: &Path) -> anyhow::Result<Command> {
    let mut command = pinned(std::env::current_exe()?.with_file_name("bellwire"));
    for (name, _) in std::env::vars() {
        if name.starts_with("BELLWIRE_") || matches!(&*name, "DATABASE_URL" | "REDIS_URL") {
            command.env_remove(name);
        }
    }
    command.env("BELLWIRE_DATA", data);
    Ok(command)
}
