//! Runs the auction.
//!
//! ```sh
//! cargo run -p auction                       # http://127.0.0.1:9005, bids in memory
//! cargo run -p auction 0.0.0.0:80 bids.db    # another address, and a file
//! ```

use auction::{Auction, Store};
use bellwire::{Bellwire, serve, shutdown_signal};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    tracing_subscriber::fmt().init();
    let mut arguments = std::env::args().skip(1);
    let address = arguments.next().unwrap_or_else(|| "127.0.0.1:9005".to_owned());
    let store = Store::open(arguments.next().as_deref()).await?;
    let bellwire = Bellwire::builder(format!("http://{address}")).build()?;
    let auction = Auction::new(bellwire.clone(), store.clone());
    let listener = TcpListener::bind(&address).await?;
    eprintln!("The auction is at http://{}", listener.local_addr()?);
    // The order of a stop: no new requests, every page is told to return, every committed bid is
    // published. Then the database may close.
    serve(listener, auction.router(), &bellwire).until(shutdown_signal()).await;
    store.close().await;
    Ok(())
}
