use std::fs::{File, OpenOptions};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};

use tempfile::TempDir;

use crate::{poll_until, programs};

/// The real server: a process with its own data folder, and an address that survives restarts.
///
/// Its log is written to a file, which is printed if the story fails.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    settings: Vec<(String, String)>,
    process: Option<Child>,
    folder: TempDir,
}

impl Server {
    /// Starts a new site with these settings, in addition to the address and the data folder.
    pub(crate) async fn start(settings: &[(&str, &str)]) -> Self {
        let settings = settings
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut server = Self { address: free_address(), settings, process: None, folder };
        server.start_again().await;
        server
    }

    /// Starts the process with the same address and data, and waits until it accepts connections.
    ///
    /// # Panics
    /// If the process ends instead.
    pub async fn start_again(&mut self) {
        assert!(self.process.is_none(), "the server is already running");
        let out = self.open_log();
        let mut command = self.command();
        command.stdout(out);
        self.process = Some(command.spawn().expect("the server starts"));
        let started = poll_until(async || self.is_ready_or_ended()).await;
        assert!(started == Some(true), "the server did not start; its output:\n{}", self.log());
    }

    /// The program, with this site's settings and no others.
    fn command(&self) -> Command {
        let mut command = Command::new(programs::server());
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("BELLWIRE_") && name != "BELLWIRE_TEST_RUN" {
                command.env_remove(name);
            }
        }
        command
            .env_remove("DATABASE_URL")
            .env_remove("REDIS_URL")
            .env("BELLWIRE_BIND", self.address.to_string())
            .env("BELLWIRE_DATA", self.folder.path().join("data"))
            .envs(self.settings.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stderr(self.open_log());
        command
    }

    /// Returns `true` if the server accepts connections, `false` if the process has ended, and
    /// `None` before either.
    fn is_ready_or_ended(&mut self) -> Option<bool> {
        let ended =
            self.process.as_mut().is_none_or(|process| !matches!(process.try_wait(), Ok(None)));
        if ended { Some(false) } else { TcpStream::connect(self.address).ok().map(|_| true) }
    }

    /// Runs a `bellwire` command with these arguments while the site runs.
    ///
    /// # Panics
    /// If the command fails.
    pub async fn run_command(&self, arguments: &[&str]) {
        let command = self.command().args(arguments).stdout(Stdio::null()).spawn();
        let mut process = command.expect("the server's program starts");
        let ended = poll_until(async || process.try_wait().ok().flatten()).await;
        assert!(
            ended.is_some_and(|status| status.success()),
            "{arguments:?} failed: {ended:?}\n{}",
            self.log()
        );
    }

    /// Kills the process, as a power cut would (SIGKILL).
    pub fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().expect("our own process can be killed");
            process.wait().expect("our own process can be waited for");
        }
    }

    /// Stops the process as an operator would (SIGTERM), and waits for its end.
    ///
    /// # Panics
    /// If it does not end.
    pub async fn stop(&mut self) -> ExitStatus {
        let mut process = self.process.take().expect("a server that runs");
        let killed = Command::new("kill").args(["-TERM", &process.id().to_string()]).status();
        assert!(killed.is_ok_and(|status| status.success()), "SIGTERM could not be sent");
        let ended = poll_until(async || process.try_wait().ok().flatten()).await;
        self.process = ended.is_none().then_some(process);
        ended.unwrap_or_else(|| panic!("the server did not stop; its output:\n{}", self.log()))
    }

    /// The address of a path on this site.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The address it listens on.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The log of all starts so far.
    #[must_use]
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.log_path()).unwrap_or_default()
    }

    fn log_path(&self) -> PathBuf {
        self.folder.path().join("server.log")
    }

    fn open_log(&self) -> File {
        OpenOptions::new().create(true).append(true).open(self.log_path()).expect("a log file")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            eprintln!("--- server output ---\n{}--- end of server output ---", self.log());
        }
    }
}

/// A free loopback address. The kernel does not assign the same port again soon, so it stays free.
fn free_address() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("an address")
}
