use axum::Router;
use axum::response::{Html, Response};
use axum::routing::get;
use bellwire::{Bellwire, Consumer, Error, Live, Socket};
use tokio::net::TcpListener;

struct Echo;

impl Consumer for Echo {
    type Action = String; // the messages of a browser: text
    type Event = (); // the events of groups: none yet
    type Error = Error; // the errors of the methods

    async fn connect(&mut self, socket: &mut Socket<Self>) -> Result<(), Error> {
        socket.send_text("You are connected by WebSockets!").await
    }

    async fn receive(&mut self, socket: &mut Socket<Self>, text: String) -> Result<(), Error> {
        socket.send_text(text).await
    }
}

async fn page() -> Html<&'static str> {
    Html(include_str!("echo.html"))
}

async fn live(live: Live) -> Response {
    live.run(Echo)
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:8000".into());
    let listener = TcpListener::bind(address).await?;
    let address = listener.local_addr()?;
    let bellwire = Bellwire::builder(format!("http://{address}")).build()?;
    let routes =
        Router::new().route("/", get(page)).route("/ws/echo/", get(live)).with_state(bellwire);
    eprintln!("Open http://{address}/");
    Ok(axum::serve(listener, routes).await?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use bellwire::testing::Communicator;

    #[tokio::test]
    async fn text_is_echoed() -> anyhow::Result<()> {
        let bellwire = Bellwire::builder("http://127.0.0.1:8000").build()?;
        let mut ada = Communicator::connect(&bellwire, Echo).await;
        assert_eq!(ada.receive_text().await, "You are connected by WebSockets!");
        ada.send_text("Lunch?").await;
        assert_eq!(ada.receive_text().await, "Lunch?");
        Ok(())
    }
}
