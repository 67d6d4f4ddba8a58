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
use axum::response::{Html as Page, IntoResponse, Response};
use axum::routing::get;
use bellwire::{
    Bellwire, Consumer, Error, EventStream, Frame, Group, GroupName, Html, Layer, Patch, Socket,
    Upgrade, UpgradeRejection,
};

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

    async fn connect(&mut self, socket: &mut Socket) -> Result<(), Error> {
        socket.join(&readers(socket.layer()));
        Ok(())
    }

    async fn receive(&mut self, _: &mut Socket, _: Frame) -> Result<(), Error> {
        Err(Error::refused("Send news with POST /."))
    }
}

fn readers(layer: &Layer) -> Group<()> {
    layer.group(GroupName::of("news", 1))
}

async fn live(stream: Option<EventStream>, upgrade: Result<Upgrade, UpgradeRejection>) -> Response {
    match (stream, upgrade) {
        (Some(stream), _) => stream.run(Reader),
        (None, Ok(upgrade)) => upgrade.run(Reader),
        (None, Err(rejection)) => rejection.into_response(),
    }
}

async fn publish(State(bellwire): State<Bellwire>, text: String) -> StatusCode {
    let item = format!("<li>{}</li>", Html::text(&text).as_str());
    readers(bellwire.layer()).patch(Patch::append("#news", Html::trusted(item)));
    StatusCode::ACCEPTED
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:9005".into());
    let bellwire = Bellwire::builder(format!("http://{address}")).build()?;
    let app = Router::new()
        .route("/", get(async || Page(PAGE)).post(publish))
        .route("/live/", get(live))
        .with_state(bellwire);
    let listener = tokio::net::TcpListener::bind(&address).await?;
    eprintln!("News at http://{}/", listener.local_addr()?);
    Ok(axum::serve(listener, app).await?)
}
