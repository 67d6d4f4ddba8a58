//! The time, the same for everyone who looks: one ticking task, one encoding, no handler woken.
//!
//! `cargo run -p bellwire --example clock`, then open the address it prints.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::response::{Html as Page, Response};
use axum::routing::get;
use bellwire::{Bellwire, Consumer, Error, Frame, Group, GroupName, Html, Layer, Patch, Socket, Upgrade};

struct Watcher;

impl Consumer for Watcher {
    type Action = Frame;
    type Event = ();

    async fn connect(&mut self, socket: &mut Socket) -> Result<(), Error> {
        socket.join(&watchers(socket.layer()));
        socket.patch(face()).await
    }

    async fn receive(&mut self, _: &mut Socket, _: Frame) -> Result<(), Error> {
        Err(Error::refused("A clock listens to nobody."))
    }
}

fn watchers(layer: &Layer) -> Group<()> {
    layer.group(GroupName::of("clock", 1))
}

fn face() -> Patch {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let time = format!("{:02}:{:02}:{:02}", now / 3600 % 24, now / 60 % 60, now % 60);
    Patch::inner("#clock", Html::text(&time))
}

async fn tick(layer: Layer) {
    let mut seconds = tokio::time::interval(Duration::from_secs(1));
    loop {
        seconds.tick().await;
        watchers(&layer).patch(face());
    }
}

async fn socket(upgrade: Upgrade) -> Response {
    upgrade.run(Watcher)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:9002".into());
    let bellwire = Bellwire::builder(format!("http://{address}")).build()?;
    tokio::spawn(tick(bellwire.layer().clone()));
    let page = || async { Page(include_str!("clock.html")) };
    let app = Router::new().route("/", get(page)).route("/ws/", get(socket)).with_state(bellwire);
    let listener = tokio::net::TcpListener::bind(&address).await?;
    eprintln!("Look at http://{}", listener.local_addr()?);
    Ok(axum::serve(listener, app).await?)
}
