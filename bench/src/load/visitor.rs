//! One person at the site: plain HTTP and plain sockets, one ask after the other.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use anyhow::{Context, bail, ensure};

use crate::member::masked;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(60);
const PASSWORD: &str = "a+bell+for+every+bench";
const GOODBYE: [u8; 6] = [0x88, 0x80, 0, 0, 0, 0];

/// What the site answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    head: String,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }
}

/// Somebody with an account, and a connection that is used again and again.
#[derive(Debug)]
pub(crate) struct Visitor {
    stream: BufReader<TcpStream>,
    address: String,
    cookie: String,
}

impl Visitor {
    pub(crate) fn sign_up(address: &str, name: &str) -> anyhow::Result<Self> {
        let mut visitor =
            Self { stream: connect(address)?, address: address.to_owned(), cookie: String::new() };
        let form = format!("username={name}&password={PASSWORD}&password_confirm={PASSWORD}");
        let answer = visitor.post("/accounts/signup/", &form)?;
        ensure!(answer.status == 303, "{name} gets no account: {}", answer.text);
        let cookie = answer.header("set-cookie").and_then(|cookie| cookie.split(';').next());
        visitor.cookie = cookie.context("no cookie")?.to_owned();
        Ok(visitor)
    }

    /// Connects anew: the site lets go of who is silent for a while.
    pub(crate) fn come_back(&mut self) -> anyhow::Result<()> {
        self.stream = connect(&self.address)?;
        Ok(())
    }

    pub(crate) fn get(&mut self, path: &str) -> anyhow::Result<Answer> {
        self.ask("GET", path, "")
    }

    /// A page that must be there.
    pub(crate) fn page(&mut self, path: &str) -> anyhow::Result<String> {
        let answer = self.get(path)?;
        ensure!(answer.status == 200, "{path} is answered with {}", answer.status);
        Ok(answer.text)
    }

    pub(crate) fn post(&mut self, path: &str, form: &str) -> anyhow::Result<Answer> {
        self.ask("POST", path, form)
    }

    fn ask(&mut self, method: &str, path: &str, form: &str) -> anyhow::Result<Answer> {
        let Self { address, cookie, .. } = self;
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {address}\r\nOrigin: http://{address}\r\nCookie: {cookie}\r\nAccept: text/html\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{form}",
            form.len()
        );
        self.stream.get_mut().write_all(request.as_bytes())?;
        let head = head(&mut self.stream)?;
        let status =
            head.split(' ').nth(1).and_then(|status| status.parse().ok()).context("a status")?;
        let mut answer = Answer { status, head, text: String::new() };
        let length = answer.header("content-length").map_or(Ok(0), str::parse::<usize>)?;
        let mut text = vec![0; length];
        self.stream.read_exact(&mut text)?;
        answer.text = String::from_utf8(text)?;
        Ok(answer)
    }

    /// Opens the socket of a page, asks `ask` if there is one, reads until `is_enough` of what
    /// came, and closes it.
    pub(crate) fn window(
        &self,
        path: &str,
        ask: Option<&str>,
        is_enough: impl Fn(&str) -> bool,
    ) -> anyhow::Result<String> {
        let Self { address, cookie, .. } = self;
        let mut stream = connect(address)?;
        write!(
            stream.get_mut(),
            "GET {path} HTTP/1.1\r\nHost: {address}\r\nOrigin: http://{address}\r\nCookie: {cookie}\r\nConnection: Upgrade\r\n\
             Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )?;
        let head = head(&mut stream)?;
        ensure!(head.starts_with("HTTP/1.1 101"), "no socket at {path}: {head}");
        if let Some(ask) = ask {
            stream.get_mut().write_all(&masked(ask))?;
        }
        // Frames and all: what is looked for stands within one.
        let mut came = Vec::new();
        let mut some = [0; 16 * 1024];
        loop {
            match stream.read(&mut some)? {
                0 => bail!(
                    "the site closed the socket of {path}: {}",
                    String::from_utf8_lossy(&came)
                ),
                read => came.extend_from_slice(&some[..read]),
            }
            let text = String::from_utf8_lossy(&came);
            if is_enough(&text) {
                stream.get_mut().write_all(&GOODBYE)?;
                // What closing costs belongs to it.
                stream.read_to_end(&mut came)?;
                return Ok(String::from_utf8_lossy(&came).into_owned());
            }
        }
    }
}

fn connect(address: &str) -> anyhow::Result<BufReader<TcpStream>> {
    let stream = TcpStream::connect(address).with_context(|| format!("reach {address}"))?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    Ok(BufReader::new(stream))
}

fn head(stream: &mut BufReader<TcpStream>) -> anyhow::Result<String> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        ensure!(stream.read_line(&mut head)? > 0, "the site closed a connection: {head}");
    }
    Ok(head)
}
