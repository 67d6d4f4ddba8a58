//! What the servers and the load generator of the bench agree on: addresses, what is asked, and the
//! bytes of an answer.

use std::fmt::Write as _;
use std::io::Write as _;
use std::net::SocketAddr;

use anyhow::Context;

/// The text of each message: 64 bytes.
pub const TEXT: &str = "The quick brown fox jumps over the lazy dog, and then once more.";

/// What a member asks to learn that it is in its room.
pub const HELLO: &str = r#"{"action":"Hello","data":{}}"#;

/// What it is answered.
pub const WELCOME: &str = "welcome";

/// What a member asks in order to say something in its room.
#[must_use]
pub fn say(text: &str) -> String {
    format!(r#"{{"action":"Say","data":{{"text":"{text}"}}}}"#)
}

/// The path of a room's socket.
#[must_use]
pub fn path(room: u32) -> String {
    format!("/ws/{room}/?dialect=htmx&since=bench.{room}:0")
}

/// The message as every member gets it: what the framework makes of it, to the byte.
#[must_use]
pub fn frame(room: u32, seq: u64, text: &str) -> String {
    let mut html = String::with_capacity(160 + text.len());
    let _ = write!(
        html,
        "<div hx-swap-oob=\"beforeend:#messages-list\" data-feed=\"bench.{room}\" data-seq=\"{seq}\">{}</div>",
        item(seq, text)
    );
    html
}

/// The message's own element.
#[must_use]
pub fn item(seq: u64, text: &str) -> String {
    format!("<li id=\"message--{seq}\">{text}</li>")
}

/// Tells the load generator, on standard output, where a server listens. The server goes when the
/// load generator does, however that ends: with its standard input.
///
/// # Errors
/// When nobody listens to our output.
pub fn announce(address: SocketAddr) -> anyhow::Result<()> {
    std::thread::spawn(|| {
        let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        std::process::exit(0);
    });
    let mut out = std::io::stdout().lock();
    writeln!(out, "{address}").and_then(|()| out.flush()).context("say where the server listens")
}
