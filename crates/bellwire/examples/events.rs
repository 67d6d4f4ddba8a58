//! Server-sent events: one consumer for WebSockets and for networks that block them. The same path
//! sends server-sent events to clients that accept them. Open the page in two tabs: one uses
//! WebSocket, the other EventSource.
//!
//! ```sh
//! cargo run -p bellwire --example events
//! curl -N -H 'Accept: text/event-stream' http://127.0.0.1:9005/live/
//! curl -d 'It rains.' http://127.0.0.1:9005/
//! ```

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{Html as Page, Response};
use axum::routing::get;
use bellwire::{Bellwire, Consumer, Error, Frame, Html, Live, Patch, Socket, Topic};

const NEWS: Topic<u8> = Topic::new("news");

const PAGE: &str = r#"<!doctype html><title>Events</title>
<p>Receive by <a href="/">WebSocket</a> or by <a href="/?events">EventSource</a>:</p>
<ul id="news"></ul>
<form><input name="text" autofocus><button>Send</button></form>
<script>
  const apply = ({ data }) => {
    const patch = JSON.parse(data)
    document.querySelector(patch.selector).insertAdjacentHTML("beforeend", patch.html)
  }
  if (location.search === "?events") {
    const source = new EventSource("/live/") // reconnects by itself
    source.onmessage = apply
    source.addEventListener("close", () => source.close()) // a final close: do not reconnect
  } else {
    new WebSocket(`ws://${location.host}/live/`).onmessage = apply
  }
  document.forms[0].onsubmit = (event) => {
    event.preventDefault()
    fetch("/", { method: "POST", body: event.target.text.value })
    event.target.reset()
  }
</script>"#;

struct Reader;

impl Consumer for Reader {
    type Action = Frame;
    type Event = ();
    type Error = Error;

    async fn connect(&mut self, socket: &mut Socket<Self>) -> Result<(), Error> {
        socket.join(NEWS.of(1));
        Ok(())
    }

    async fn receive(&mut self, _: &mut Socket<Self>, _: Frame) -> Result<(), Error> {
        Err(Error::refused("Send news with POST /."))
    }
}

async fn live(live: Live) -> Response {
    live.run(Reader)
}

async fn publish(State(bellwire): State<Bellwire>, text: String) -> StatusCode {
    let item = format!("<li>{}</li>", Html::text(&text).as_str());
    bellwire.layer().group(NEWS.of(1)).patch(Patch::append("#news", Html::trusted(item)));
    StatusCode::ACCEPTED
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:9005".into());
    // curl is a program, which sends no origin.
    let bellwire = Bellwire::builder(format!("http://{address}")).native_clients().build()?;
    let app = Router::new()
        .route("/", get(async || Page(PAGE)).post(publish))
        .route("/live/", get(live))
        .with_state(bellwire);
    let listener = tokio::net::TcpListener::bind(&address).await?;
    eprintln!("News at http://{}/", listener.local_addr()?);
    Ok(axum::serve(listener, app).await?)
}
