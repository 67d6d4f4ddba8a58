//! Echo and clock: the server returns each text to its sender, and one task sends the time to
//! everyone.

use std::time::Duration;

use askama::Template;
use axum::Router;
use axum::routing::get;
use bellwire_site::bellwire::{
    Action, Consumer, Dialect, Error, Frame, FromFrame, Html, Patch, Socket, Ticker, Topic,
};
use bellwire_site::{Live, Page, SiteError, SiteState};
use chrono::Utc;

const CLOCK: Topic<u8> = Topic::new("playground.clock");

const GREETING: &str = "You are connected by WebSockets!";

/// The longest text that is returned to our page, in characters.
const MAX_CHARS: usize = 200;

pub(crate) fn routes(site: &SiteState) -> Router<SiteState> {
    let watchers = site.bellwire().layer().group(CLOCK.of(0));
    let clock = Ticker::new(&watchers, Duration::from_secs(1), tick);
    let live = async move |live: Live| live.run(Echo { clock: clock.clone() });
    Router::new().route("/echo/", get(show)).route("/ws/echo/", get(live))
}

#[derive(Template)]
#[template(path = "playground/echo.html")]
struct EchoPage {
    time: String,
}

async fn show() -> Result<Page, SiteError> {
    let about = "The server's clock, the same in every window, and an echo of your text.";
    Ok(crate::page("Echo and clock", about, &EchoPage { time: time() })?.connect("/ws/echo/"))
}

/// The action of our page. JSON clients send any text, which is returned unchanged.
#[derive(Action)]
pub(crate) enum EchoAction {
    #[action(form)]
    Echo { text: String },
}

struct Echo {
    clock: Ticker,
}

impl Consumer for Echo {
    type Action = String;
    type Event = ();
    type Error = Error;

    async fn connect(&mut self, socket: &mut Socket<Self>) -> Result<(), Error> {
        socket.patch(Patch::inner("#greeting", Html::text(GREETING)).json_text(GREETING)).await?;
        self.clock.watch(socket);
        Ok(())
    }

    async fn receive(&mut self, socket: &mut Socket<Self>, frame: String) -> Result<(), Error> {
        if socket.dialect() == Dialect::Json {
            return socket.send_text(frame).await;
        }
        let EchoAction::Echo { text } = EchoAction::from_frame(Frame::Text(frame))?;
        if text.chars().count() > MAX_CHARS {
            let message = format!("A text has at most {MAX_CHARS} characters.");
            return Err(Error::refuse("text", message));
        }
        socket.patch(Patch::inner("#echo", Html::text(&text))).await
    }

    /// Sends nothing: the next tick follows within a second.
    async fn lagged(&mut self, _: &mut Socket<Self>) -> Result<(), Error> {
        Ok(())
    }
}

fn tick() -> Patch {
    let time = time();
    Patch::inner("#clock", Html::text(&time)).json_text(time)
}

fn time() -> String {
    Utc::now().format("%H:%M:%S").to_string()
}
