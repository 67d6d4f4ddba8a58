//! Bellwire under `axum::serve`: a graceful shutdown ends the open connections as well.
//!
//! ```sh
//! cargo run -p bellwire --example axum_serve
//! curl -N -H 'Accept: text/event-stream' http://127.0.0.1:9006/clock   # and stop the server
//! ```

use std::time::Duration;

use axum::Router;
use axum::routing::get;
use bellwire::prelude::*;
use bellwire::{Frame, Ticker, shutdown_signal};
use tokio::net::TcpListener;

/// The time within which connections and requests have to end.
const END: Duration = Duration::from_secs(7);

const CLOCK: Topic<u8> = Topic::new("clock");

struct Watcher(Ticker);

impl Consumer for Watcher {
    type Action = Frame;
    type Event = ();
    type Error = Error;

    async fn connect(&mut self, socket: &mut Socket<Self>) -> Result<(), Error> {
        self.0.watch(socket);
        Ok(())
    }

    async fn receive(&mut self, _: &mut Socket<Self>, _: Frame) -> Result<(), Error> {
        Err(Error::refused("A clock only shows the time."))
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // curl sends no origin, so programs without one are allowed here.
    let bellwire = Bellwire::builder("http://127.0.0.1:9006").native_clients().build()?;
    let started = std::time::Instant::now();
    let tick = move || {
        let seconds = started.elapsed().as_secs().to_string();
        Patch::inner("#clock", Html::text(&seconds))
    };
    let group = bellwire.layer().group(CLOCK.of(1));
    let ticker = Ticker::new(&group, Duration::from_secs(1), tick);
    let clock = async move |live: Live| live.run(Watcher(ticker.clone()));
    let app = Router::new().route("/clock", get(clock)).with_state(bellwire.clone());

    let listener = TcpListener::bind("127.0.0.1:9006").await?;
    eprintln!("A clock at http://{}/clock", listener.local_addr()?);
    // First the signal; then no new requests, and every connection is told to return later.
    axum::serve(listener, app)
        .with_graceful_shutdown(bellwire.closing(shutdown_signal(), END))
        .await?;
    // Then every handler has ended and every committed change is published.
    bellwire.shutdown(END).await;
    // Now the app may close its database.
    Ok(())
}
