//! Bellwire in an axum app with its own state and its own authentication. The crate needs only a
//! `Bellwire` in the state. Here a view sends to a group, and the socket requires a password.
//!
//! ```sh
//! cargo run -p bellwire --example plain_axum
//! curl -N -H 'Connection: Upgrade' -H 'Upgrade: websocket' -H 'Sec-WebSocket-Version: 13' \
//!      -H 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==' -H 'Authorization: open sesame' \
//!      http://127.0.0.1:9004/news/socket
//! curl -d 'It rains.' http://127.0.0.1:9004/news
//! ```

use axum::Router;
use axum::extract::{FromRef, FromRequestParts, State};
use axum::http::StatusCode;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use axum::response::Response;
use axum::routing::{get, post};
use bellwire::{Bellwire, Consumer, Error, Frame, Html, Live, Patch, Socket, Topic};

const NEWS: Topic<u8> = Topic::new("news");

#[derive(Clone)]
struct App {
    bellwire: Bellwire,
    password: &'static str,
}

// The only requirement of Bellwire's extractor.
impl FromRef<App> for Bellwire {
    fn from_ref(app: &App) -> Self {
        app.bellwire.clone()
    }
}

/// The app's own authentication. It runs before the upgrade, so a refused client gets an HTTP
/// status instead of a close without a reason.
struct Reader;

impl FromRequestParts<App> for Reader {
    type Rejection = (StatusCode, &'static str);

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Self::Rejection> {
        if parts.headers.get(AUTHORIZATION).is_some_and(|given| given == app.password) {
            Ok(Self)
        } else {
            Err((StatusCode::UNAUTHORIZED, "Send the password in the Authorization header."))
        }
    }
}

struct NewsReader;

impl Consumer for NewsReader {
    type Action = Frame;
    type Event = ();
    type Error = Error;

    async fn connect(&mut self, socket: &mut Socket<Self>) -> Result<(), Error> {
        socket.join(NEWS.of(1));
        Ok(())
    }

    async fn receive(&mut self, _: &mut Socket<Self>, _: Frame) -> Result<(), Error> {
        Err(Error::refused("Send news with POST /news."))
    }
}

async fn socket(_: Reader, live: Live) -> Response {
    live.run(NewsReader)
}

async fn news(State(bellwire): State<Bellwire>, text: String) -> StatusCode {
    bellwire.layer().group(NEWS.of(1)).patch(Patch::append("#news", Html::text(&text)));
    StatusCode::ACCEPTED
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:9004".into());
    // curl is a program, which sends no origin.
    let bellwire = Bellwire::builder(format!("http://{address}")).native_clients().build()?;
    let state = App { bellwire: bellwire.clone(), password: "open sesame" };
    let app = Router::new()
        .route("/news", post(news))
        .route("/news/socket", get(socket))
        .with_state(state);
    let listener = tokio::net::TcpListener::bind(&address).await?;
    eprintln!("News at http://{}/news", listener.local_addr()?);
    bellwire::serve(listener, app, &bellwire).until(bellwire::shutdown_signal()).await;
    Ok(())
}
