//! Starts the real program, and requests pages from it: an HTTP client over plain TCP sockets that
//! returns I/O errors to its caller.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// The longest that a test waits for anything. Only a failing test waits this long.
pub(crate) const TEST_TIMEOUT: Duration = Duration::from_secs(30);

/// The longest that a stop may take, regardless of open connections.
pub(crate) const STOP_TIMEOUT: Duration = Duration::from_secs(10);

pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_bellwire");

/// Gives `program` a data folder, and removes the settings of the environment that runs the tests.
pub(crate) fn with_settings(mut program: Command, folder: &Path) -> Command {
    for (name, _) in std::env::vars() {
        if name.starts_with("BELLWIRE_") || matches!(&*name, "DATABASE_URL" | "REDIS_URL") {
            program.env_remove(name);
        }
    }
    program.env("BELLWIRE_DATA", folder).env("BELLWIRE_BIND", "127.0.0.1:0");
    program.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    program
}

pub(crate) fn bellwire(folder: &Path) -> Command {
    with_settings(Command::new(PROGRAM), folder)
}

/// Creates a folder that no other test uses, even one that passes the same name.
pub(crate) fn folder(name: &str) -> PathBuf {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let (process, number) = (std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
    let folder = std::env::temp_dir().join(format!("bellwire-program-{name}-{process}-{number}"));
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// The exit code and the output of a program that ends by itself.
pub(crate) struct Finished {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Finished {
    /// Waits until the program ends. A program that does not end, such as a server that starts when
    /// it should refuse to, is killed and fails the test.
    pub(crate) fn wait(child: Child) -> Self {
        let id = child.id().to_string();
        let (sender, receiver) = mpsc::channel();
        std::thread::spawn(move || sender.send(child.wait_with_output()));
        let Ok(output) = receiver.recv_timeout(TEST_TIMEOUT) else {
            let _ = Command::new("kill").args(["-KILL", &id]).status();
            panic!("still running after {TEST_TIMEOUT:?}");
        };
        let output = output.unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Self {
            code: output.status.code(),
            stdout: text(&output.stdout),
            stderr: text(&output.stderr),
        }
    }
}

/// A server process that is killed when the test ends.
pub(crate) struct Server {
    child: Child,
    /// The lines it printed when it was ready.
    pub(crate) greeting: String,
    /// The address it listens on: `127.0.0.1:8000`.
    pub(crate) address: String,
    log: Arc<Mutex<String>>,
    /// Collects standard error; ends at end of file.
    log_reader: Option<JoinHandle<()>>,
}

impl Server {
    /// Starts the server and waits for its greeting.
    pub(crate) fn start(mut command: Command) -> Self {
        let mut child = command.spawn().unwrap();
        let log = Arc::new(Mutex::new(String::new()));
        let (lines, stderr) = (log.clone(), child.stderr.take().unwrap());
        let log_reader = std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                lines.lock().unwrap().push_str(&(line + "\n"));
            }
        });
        let output = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let (sender, greetings) = mpsc::channel();
        // Reads to the end, because a full pipe would block the server.
        std::thread::spawn(move || {
            let mut greeting = String::new();
            for line in output {
                greeting.push_str(&line);
                greeting.push('\n');
                if line.contains("Ctrl-C") {
                    let _ = sender.send(std::mem::take(&mut greeting));
                }
            }
        });
        // Built before the wait, so that the process is killed even if no greeting arrives.
        let mut server = Self {
            child,
            greeting: String::new(),
            address: String::new(),
            log,
            log_reader: Some(log_reader),
        };
        let greeting = greetings.recv_timeout(TEST_TIMEOUT);
        server.greeting = greeting.unwrap_or_else(|_| panic!("no greeting: {}", server.log()));
        let (_, address) = server.greeting.split_once("running at http://").expect("an address");
        server.address = address.lines().next().unwrap().trim().to_owned();
        server
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// The log so far.
    pub(crate) fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// Sends SIGTERM, as an operator does, and waits for the end. Returns the exit status and the
    /// whole log.
    #[cfg(unix)]
    pub(crate) fn stop(mut self) -> (ExitStatus, String) {
        let kill = Command::new("kill").arg(self.id().to_string()).status().unwrap();
        assert!(kill.success());
        let start = Instant::now();
        let status = loop {
            match self.child.try_wait().unwrap() {
                Some(status) => break status,
                None if start.elapsed() > STOP_TIMEOUT => {
                    panic!("still running after {STOP_TIMEOUT:?}: {}", self.log())
                }
                None => std::thread::sleep(Duration::from_millis(20)),
            }
        };
        let log_reader = self.log_reader.take().unwrap();
        wait_until("the whole log is read", || log_reader.is_finished());
        (status, self.log())
    }

    /// Sends SIGKILL and waits for the end.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A response of the server.
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) text: String,
}

/// An HTTP client with one keep-alive connection and one cookie.
pub(crate) struct HttpClient {
    stream: BufReader<TcpStream>,
    host: String,
    cookie: String,
}

impl HttpClient {
    pub(crate) fn connect(address: &str, cookie: &str) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(TEST_TIMEOUT))?;
        stream.set_write_timeout(Some(TEST_TIMEOUT))?;
        Ok(Self {
            stream: BufReader::new(stream),
            host: address.to_owned(),
            cookie: cookie.to_owned(),
        })
    }

    /// Creates an account, signs in, and keeps the session cookie. Returns the cookie.
    pub(crate) fn sign_up(&mut self, name: &str) -> String {
        let password = "a+bell+for+every+test";
        let form = format!("username={name}&password={password}&password_confirm={password}");
        let answer = self.post("/accounts/signup/", &form).unwrap();
        assert_eq!(answer.status, 303, "{}", answer.text);
        let cookie = answer.head.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("set-cookie")
                .then(|| value.split(';').next().unwrap().trim().to_owned())
        });
        self.cookie = cookie.unwrap();
        self.cookie.clone()
    }

    pub(crate) fn get(&mut self, path: &str) -> io::Result<Response> {
        self.request("GET", path, "")
    }

    pub(crate) fn post(&mut self, path: &str, form: &str) -> io::Result<Response> {
        self.request("POST", path, form)
    }

    fn request(&mut self, method: &str, path: &str, form: &str) -> io::Result<Response> {
        let Self { host, cookie, .. } = self;
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\r\n\
             Cookie: {cookie}\r\nAccept: text/html\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{form}",
            form.len()
        );
        self.stream.get_mut().write_all(request.as_bytes())?;
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if self.stream.read_line(&mut head)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        let length = head.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("content-length")
                .then(|| value.trim().parse::<usize>().unwrap())
        });
        let mut text = vec![0; length.unwrap_or_default()];
        self.stream.read_exact(&mut text)?;
        let status =
            head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_default();
        Ok(Response { status, head, text: String::from_utf8_lossy(&text).into_owned() })
    }
}

/// Polls until `count` has reached `all`. Fails the test if the count stands still for
/// [`TEST_TIMEOUT`]; a busy machine may take longer in all.
pub(crate) fn wait_until_all(what: &str, all: usize, mut count: impl FnMut() -> usize) {
    let (mut changed, mut last) = (Instant::now(), 0);
    while last < all {
        std::thread::sleep(Duration::from_millis(10));
        let now = count();
        if now != last {
            (changed, last) = (Instant::now(), now);
        }
        assert!(changed.elapsed() < TEST_TIMEOUT, "stopped at {last} of {all}: {what}");
    }
}

/// Polls until `condition` holds. Fails the test after [`TEST_TIMEOUT`].
pub(crate) fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < TEST_TIMEOUT, "timed out while waiting until {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}
