//! Clock: sends the time to all watchers every second, with one task, one encoding per tick and no
//! handler calls.
//!
//! `cargo run -p bellwire --example clock`, then open the address it prints.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::response::Html as Page;
use axum::routing::get;
use bellwire::{Bellwire, Consumer, Error, Frame, Html, Live, Patch, Socket, Ticker, Topic};

const CLOCK: Topic<u8> = Topic::new("clock");

struct Watcher(Ticker);

impl Consumer for Watcher {
    type Action = Frame;
    type Event = ();
    type Error = Error;

    async fn connect(&mut self, socket: &mut Socket<Self>) -> Result<(), Error> {
        self.0.watch(socket);
        socket.patch(face()).await
    }

    async fn receive(&mut self, _: &mut Socket<Self>, _: Frame) -> Result<(), Error> {
        Err(Error::refused("The clock accepts no messages."))
    }
}

fn face() -> Patch {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let time = format!("{:02}:{:02}:{:02}", now / 3600 % 24, now / 60 % 60, now % 60);
    Patch::inner("#clock", Html::text(&time))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:9002".into());
    let bellwire = Bellwire::builder(format!("http://{address}")).build()?;
    let watchers = bellwire.layer().group(CLOCK.of(1));
    let clock = Ticker::new(&watchers, Duration::from_secs(1), face);
    let page = async || Page(include_str!("clock.html"));
    let socket = async move |live: Live| live.run(Watcher(clock.clone()));
    let app = Router::new().route("/", get(page)).route("/ws/", get(socket)).with_state(bellwire);
    let listener = tokio::net::TcpListener::bind(&address).await?;
    eprintln!("Open http://{}", listener.local_addr()?);
    Ok(axum::serve(listener, app).await?)
}
