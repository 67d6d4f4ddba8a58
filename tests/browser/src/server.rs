use std::fs::{File, OpenOptions};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};

use tempfile::TempDir;

use crate::{look_until, programs};

/// The real server: a process with a data folder of its own and an address it keeps when it is
/// started again.
///
/// Its log goes to a file, which is printed when the story fails.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    settings: Vec<(String, String)>,
    process: Option<Child>,
    folder: TempDir,
}

impl Server {
    /// Starts a fresh site with these settings beside the address and the data folder.
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

    /// Starts it, with the same address and data, and waits until it takes connections.
    ///
    /// # Panics
    /// When it ends instead.
    pub async fn start_again(&mut self) {
        assert!(self.process.is_none(), "the server runs already");
        let out = self.open_log();
        let mut command = self.command();
        command.stdout(out);
        self.process = Some(command.spawn().expect("the server starts"));
        let started = look_until(async || self.is_ready_or_gone()).await;
        assert!(started == Some(true), "the server did not start; it said:\n{}", self.log());
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

    /// Whether it takes connections, or `false` when the process has ended; `None` while neither is
    /// so.
    fn is_ready_or_gone(&mut self) -> Option<bool> {
        let ended =
            self.process.as_mut().is_none_or(|process| !matches!(process.try_wait(), Ok(None)));
        if ended { Some(false) } else { TcpStream::connect(self.address).ok().map(|_| true) }
    }

    /// Lets the operator say something beside the running site: `bellwire` with these words.
    ///
    /// # Panics
    /// When that fails.
    pub async fn operator(&self, words: &[&str]) {
        let command = self.command().args(words).stdout(Stdio::null()).spawn();
        let mut process = command.expect("the server's program starts");
        let ended = look_until(async || process.try_wait().ok().flatten()).await;
        assert!(
            ended.is_some_and(|status| status.success()),
            "{words:?} failed: {ended:?}\n{}",
            self.log()
        );
    }

    /// Ends it without a warning, as a power cut would (SIGKILL).
    pub fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().expect("our own process can be killed");
            process.wait().expect("our own process can be waited for");
        }
    }

    /// Asks it to stop, as an operator would (SIGTERM), and waits until it has.
    ///
    /// # Panics
    /// When it does not end.
    pub async fn stop(&mut self) -> ExitStatus {
        let mut process = self.process.take().expect("a server that runs");
        let told = Command::new("kill").args(["-TERM", &process.id().to_string()]).status();
        assert!(told.is_ok_and(|status| status.success()), "the server could not be told to stop");
        let ended = look_until(async || process.try_wait().ok().flatten()).await;
        self.process = ended.is_none().then_some(process);
        ended.unwrap_or_else(|| panic!("the server did not stop; it said:\n{}", self.log()))
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

    /// Everything it has said so far, over all starts.
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
            eprintln!("--- the server said ---\n{}--- end of what the server said ---", self.log());
        }
    }
}

/// An address nobody listens on. The kernel does not hand the same port out again soon, so it stays
/// free.
fn free_address() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("an address")
}
