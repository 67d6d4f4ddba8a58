//! Echo server: returns each frame unchanged, text or binary. Conformance tests use it, so it
//! accepts frames of 32 MiB in any number of fragments and has no rate limit.
//!
//! `cargo run -p bellwire --example echo -- 127.0.0.1:9001`

use axum::Router;
use axum::response::Response;
use axum::routing::get;
use bellwire::{Bellwire, Consumer, Error, Frame, Limits, Live, Socket};

/// The maximum size of a message, in bytes.
const MAX_BYTES: usize = 32 * 1024 * 1024;

struct Echo;

impl Consumer for Echo {
    type Action = Frame;
    type Event = ();
    type Error = Error;

    async fn receive(&mut self, socket: &mut Socket<Self>, frame: Frame) -> Result<(), Error> {
        socket.send(frame).await
    }
}

async fn echo(live: Live) -> Response {
    live.run(Echo)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:9001".into());
    let limits = Limits {
        message_bytes: MAX_BYTES,
        fragments: MAX_BYTES,
        actions_per_second: None,
        ..Limits::default()
    };
    // The test suites are programs, which send no origin.
    let bellwire = Bellwire::builder(format!("http://{address}")).native_clients();
    let bellwire = bellwire.limits(limits).build()?;
    let app = Router::new().route("/", get(echo)).fallback(get(echo)).with_state(bellwire);
    let listener = tokio::net::TcpListener::bind(&address).await?;
    eprintln!("Echoing at ws://{}", listener.local_addr()?);
    Ok(axum::serve(listener, app).await?)
}
