//! Protocol between the servers and the load generator of the benchmarks: paths, actions, and the
//! exact bytes of frames.

use std::fmt::{Display, Write as _};
use std::io::Write as _;
use std::net::SocketAddr;

use anyhow::Context;

/// The text of each message: 64 bytes.
pub const TEXT: &str = "The quick brown fox jumps over the lazy dog, and then once more.";

/// The action by which a member checks that it has joined its room.
pub const HELLO: &str = r#"{"action":"Hello","data":{}}"#;

/// The reply to [`HELLO`].
pub const WELCOME: &str = "welcome";

/// The action that sends a message to the room.
#[must_use]
pub fn send_action(text: &str) -> String {
    format!(r#"{{"action":"Say","data":{{"text":"{text}"}}}}"#)
}

/// The path of a room's socket.
#[must_use]
pub fn path(room: u32) -> String {
    format!("/ws/{room}/?dialect=htmx")
}

/// The frame that every member receives, byte for byte as the framework encodes it. `epoch` is the
/// one that the server has announced, if any.
#[must_use]
pub fn frame(room: u32, epoch: Option<&str>, seq: u64, text: &str) -> String {
    let mut html = String::with_capacity(160 + text.len());
    let (epoch, dot) = epoch.map_or(("", ""), |epoch| (epoch, "."));
    let _ = write!(
        html,
        "<div hx-swap-oob=\"beforeend:#messages-list\" data-feed=\"bench.{room}\" \
         data-seq=\"{epoch}{dot}{seq}\">{}</div>",
        item(seq, text)
    );
    html
}

/// The HTML element of a message.
#[must_use]
pub fn item(seq: impl Display, text: &str) -> String {
    format!("<li id=\"message--{seq}\">{text}</li>")
}

/// Prints the address of a server to standard output, and the epoch of its positions, for the load
/// generator. The server exits at the end of its standard input, that is, when the load generator
/// ends for any reason.
///
/// # Errors
/// If standard output is closed.
pub fn announce(address: SocketAddr, epoch: impl Display) -> anyhow::Result<()> {
    std::thread::spawn(|| {
        let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        std::process::exit(0);
    });
    let mut out = std::io::stdout().lock();
    writeln!(out, "{address} {epoch}")
        .and_then(|()| out.flush())
        .context("print the server's address")
}
