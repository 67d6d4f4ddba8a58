//! The real program, and somebody who visits it: plain HTTP over plain sockets, whose failures are an answer, too.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How long anything a test waits for may take. Only a broken test waits so long.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// How long a stop may take, whoever is connected and however.
pub(crate) const STOP: Duration = Duration::from_secs(10);

pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_bellwire");

/// `program`, with a data folder and none of the settings of whoever runs the tests.
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

/// A folder that no other test has, whatever name they give theirs.
pub(crate) fn folder(name: &str) -> PathBuf {
    static MADE: AtomicUsize = AtomicUsize::new(0);
    let (process, number) = (std::process::id(), MADE.fetch_add(1, Ordering::Relaxed));
    let folder = std::env::temp_dir().join(format!("bellwire-program-{name}-{process}-{number}"));
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// What a program did that ends by itself.
pub(crate) struct Done {
    pub(crate) code: Option<i32>,
    pub(crate) said: String,
    pub(crate) complained: String,
}

impl Done {
    /// Waits for its end. One that does not end, as a server that starts where it should refuse to, is killed and fails the test.
    pub(crate) fn of(child: Child) -> Self {
        let id = child.id().to_string();
        let (ended, ends) = mpsc::channel();
        std::thread::spawn(move || ended.send(child.wait_with_output()));
        let Ok(output) = ends.recv_timeout(PATIENCE) else {
            let _ = Command::new("kill").args(["-KILL", &id]).status();
            panic!("still running after {PATIENCE:?}");
        };
        let output = output.unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Self { code: output.status.code(), said: text(&output.stdout), complained: text(&output.stderr) }
    }
}

/// A server that runs beside the test and ends with it.
pub(crate) struct Server {
    child: Child,
    /// What it said when it was ready.
    pub(crate) greeting: String,
    /// Where it listens: `127.0.0.1:8000`.
    pub(crate) address: String,
    log: Arc<Mutex<String>>,
    /// Ends when it has nothing more to say.
    listener: Option<JoinHandle<()>>,
}

impl Server {
    /// Starts it and waits for its greeting.
    pub(crate) fn start(mut command: Command) -> Self {
        let mut child = command.spawn().unwrap();
        let log = Arc::new(Mutex::new(String::new()));
        let (heard, complaints) = (log.clone(), child.stderr.take().unwrap());
        let listener = std::thread::spawn(move || {
            for line in BufReader::new(complaints).lines().map_while(Result::ok) {
                heard.lock().unwrap().push_str(&(line + "\n"));
            }
        });
        let said = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let (greeted, greetings) = mpsc::channel();
        // It reads to the end: a full pipe would stop the server.
        std::thread::spawn(move || {
            let mut greeting = String::new();
            for line in said {
                greeting.push_str(&line);
                greeting.push('\n');
                if line.contains("Ctrl-C") {
                    let _ = greeted.send(std::mem::take(&mut greeting));
                }
            }
        });
        // Before the wait: without a greeting, too, it ends with the test.
        let mut server =
            Self { child, greeting: String::new(), address: String::new(), log, listener: Some(listener) };
        let greeting = greetings.recv_timeout(PATIENCE);
        server.greeting = greeting.unwrap_or_else(|_| panic!("no greeting: {}", server.log()));
        let (_, address) = server.greeting.split_once("running at http://").expect("an address");
        server.address = address.lines().next().unwrap().trim().to_owned();
        server
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// What it has logged so far.
    pub(crate) fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// Asks it to end, as an operator does (SIGTERM), and waits until it has. Returns how it ended, and all that it logged.
    #[cfg(unix)]
    pub(crate) fn stop(mut self) -> (ExitStatus, String) {
        let asked = Command::new("kill").arg(self.id().to_string()).status().unwrap();
        assert!(asked.success());
        let begun = Instant::now();
        let status = loop {
            match self.child.try_wait().unwrap() {
                Some(status) => break status,
                None if begun.elapsed() > STOP => panic!("still running after {STOP:?}: {}", self.log()),
                None => std::thread::sleep(Duration::from_millis(20)),
            }
        };
        let listener = self.listener.take().unwrap();
        until("all that it said is read", || listener.is_finished());
        (status, self.log())
    }

    /// `kill -9`: nothing in it runs any more after this.
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

/// What the server answered.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) text: String,
}

/// A connection that is used again and again.
pub(crate) struct Visit {
    stream: BufReader<TcpStream>,
    host: String,
    cookie: String,
}

impl Visit {
    pub(crate) fn to(address: &str, cookie: &str) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        Ok(Self { stream: BufReader::new(stream), host: address.to_owned(), cookie: cookie.to_owned() })
    }

    /// Makes the first account, or any further one, and keeps its cookie.
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

    pub(crate) fn get(&mut self, path: &str) -> io::Result<Answer> {
        self.ask("GET", path, "")
    }

    pub(crate) fn post(&mut self, path: &str, form: &str) -> io::Result<Answer> {
        self.ask("POST", path, form)
    }

    fn ask(&mut self, method: &str, path: &str, form: &str) -> io::Result<Answer> {
        let Self { host, cookie, .. } = self;
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\r\nCookie: {cookie}\r\nAccept: text/html\r\n\
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
            name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().unwrap())
        });
        let mut text = vec![0; length.unwrap_or_default()];
        self.stream.read_exact(&mut text)?;
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_default();
        Ok(Answer { status, head, text: String::from_utf8_lossy(&text).into_owned() })
    }
}

/// Waits until a count has reached `all`. A busy machine may take its time; one that stands still has failed.
pub(crate) fn until_all(what: &str, all: usize, mut count: impl FnMut() -> usize) {
    let (mut moved, mut last) = (Instant::now(), 0);
    while last < all {
        std::thread::sleep(Duration::from_millis(10));
        let now = count();
        if now != last {
            (moved, last) = (Instant::now(), now);
        }
        assert!(moved.elapsed() < PATIENCE, "stopped at {last} of {all}: {what}");
    }
}

/// Waits until something is so.
pub(crate) fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < PATIENCE, "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}
