//! Client of the site for one person: HTTP and WebSocket over blocking sockets.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use anyhow::{Context, bail, ensure};

use crate::member::masked;

/// The read timeout.
const TIMEOUT: Duration = Duration::from_secs(60);
const PASSWORD: &str = "a+bell+for+every+bench";
const CLOSE_FRAME: [u8; 6] = [0x88, 0x80, 0, 0, 0, 0];

/// A response of the site.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    head: String,
    pub(crate) text: String,
}

impl Response {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }
}

/// A person with an account, and a keep-alive connection.
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
        ensure!(answer.status == 303, "the account {name} was not created: {}", answer.text);
        let cookie = answer.header("set-cookie").and_then(|cookie| cookie.split(';').next());
        visitor.cookie = cookie.context("no cookie")?.to_owned();
        Ok(visitor)
    }

    /// Opens a new connection, because the site closes idle ones.
    pub(crate) fn reconnect(&mut self) -> anyhow::Result<()> {
        self.stream = connect(&self.address)?;
        Ok(())
    }

    pub(crate) fn get(&mut self, path: &str) -> anyhow::Result<Response> {
        self.request("GET", path, "")
    }

    /// Gets a page, which must exist.
    pub(crate) fn page(&mut self, path: &str) -> anyhow::Result<String> {
        let answer = self.get(path)?;
        ensure!(answer.status == 200, "{path} is answered with {}", answer.status);
        Ok(answer.text)
    }

    pub(crate) fn post(&mut self, path: &str, form: &str) -> anyhow::Result<Response> {
        self.request("POST", path, form)
    }

    fn request(&mut self, method: &str, path: &str, form: &str) -> anyhow::Result<Response> {
        let Self { address, cookie, .. } = self;
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {address}\r\nOrigin: http://{address}\r\n\
             Cookie: {cookie}\r\nAccept: text/html\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{form}",
            form.len()
        );
        self.stream.get_mut().write_all(request.as_bytes())?;
        let head = head(&mut self.stream)?;
        let status =
            head.split(' ').nth(1).and_then(|status| status.parse().ok()).context("a status")?;
        let mut answer = Response { status, head, text: String::new() };
        let length = answer.header("content-length").map_or(Ok(0), str::parse::<usize>)?;
        let mut text = vec![0; length];
        self.stream.read_exact(&mut text)?;
        answer.text = String::from_utf8(text)?;
        Ok(answer)
    }

    /// Opens the socket of a page, sends `action` if given, reads until `is_enough` holds for the
    /// received text, and closes the socket.
    pub(crate) fn open_socket(
        &self,
        path: &str,
        action: Option<&str>,
        is_enough: impl Fn(&str) -> bool,
    ) -> anyhow::Result<String> {
        let Self { address, cookie, .. } = self;
        let mut stream = connect(address)?;
        write!(
            stream.get_mut(),
            "GET {path} HTTP/1.1\r\nHost: {address}\r\nOrigin: http://{address}\r\n\
             Cookie: {cookie}\r\nConnection: Upgrade\r\n\
             Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )?;
        let head = head(&mut stream)?;
        ensure!(head.starts_with("HTTP/1.1 101"), "no socket at {path}: {head}");
        if let Some(action) = action {
            stream.get_mut().write_all(&masked(action))?;
        }
        // Includes frame headers: the expected text is within one frame.
        let mut received = Vec::new();
        let mut some = [0; 16 * 1024];
        loop {
            match stream.read(&mut some)? {
                0 => bail!(
                    "the site closed the socket of {path}: {}",
                    String::from_utf8_lossy(&received)
                ),
                read => received.extend_from_slice(&some[..read]),
            }
            let text = String::from_utf8_lossy(&received);
            if is_enough(&text) {
                stream.get_mut().write_all(&CLOSE_FRAME)?;
                // The cost of closing is included.
                stream.read_to_end(&mut received)?;
                return Ok(String::from_utf8_lossy(&received).into_owned());
            }
        }
    }
}

fn connect(address: &str) -> anyhow::Result<BufReader<TcpStream>> {
    let stream = TcpStream::connect(address).with_context(|| format!("reach {address}"))?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    Ok(BufReader::new(stream))
}

fn head(stream: &mut BufReader<TcpStream>) -> anyhow::Result<String> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        ensure!(stream.read_line(&mut head)? > 0, "the site closed a connection: {head}");
    }
    Ok(head)
}
