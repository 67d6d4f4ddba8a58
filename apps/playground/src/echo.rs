//! Echo and clock: what is said comes back, and the time is told to everyone by one task.

use std::time::Duration;

use askama::Template;
use axum::Router;
use axum::routing::get;
use bellwire_site::bellwire::{
    Action, Consumer, Dialect, Error, Frame, FromFrame, GroupName, Html, Patch, Socket, Ticker,
};
use bellwire_site::{Page, SiteError, SiteState, Upgrade};
use chrono::Utc;
use serde::Deserialize;

const GREETING: &str = "You are connected by WebSockets!";

/// The longest text that the page sends, in characters.
const LONGEST: usize = 200;

pub(crate) fn routes(site: &SiteState) -> Router<SiteState> {
    let watchers = site.bellwire().layer().group::<()>(GroupName::of("playground.clock", 0));
    let clock = Ticker::new(&watchers, Duration::from_secs(1), tick);
    let socket = async move |upgrade: Upgrade| upgrade.run(Echo { clock: clock.clone() });
    Router::new().route("/echo/", get(show)).route("/ws/echo/", get(socket))
}

#[derive(Template)]
#[template(path = "playground/echo.html")]
struct EchoPage {
    time: String,
}

async fn show() -> Result<Page, SiteError> {
    let about = "The server's clock, told to every window at once, and an echo of what you say.";
    Ok(crate::page("Echo and clock", about, &EchoPage { time: time() })?.connect("/ws/echo/"))
}

/// What our page asks for. Others send any text, which comes back as it is.
#[derive(Deserialize)]
#[serde(tag = "action", content = "data")]
enum Ask {
    Echo { text: String },
}

impl Action for Ask {
    const FORM: Option<&'static str> = Some("Echo");
}

struct Echo {
    clock: Ticker,
}

impl Consumer for Echo {
    type Action = String;
    type Event = ();

    async fn connect(&mut self, socket: &mut Socket) -> Result<(), Error> {
        socket.patch(Patch::inner("#greeting", Html::text(GREETING)).json_text(GREETING)).await?;
        self.clock.watch(socket);
        Ok(())
    }

    async fn receive(&mut self, socket: &mut Socket, said: String) -> Result<(), Error> {
        if socket.dialect() == Dialect::Json {
            return socket.send_text(said).await;
        }
        let Ask::Echo { text } = Ask::from_frame(Frame::Text(said))?;
        if text.chars().count() > LONGEST {
            return Err(Error::invalid("text", format!("At most {LONGEST} characters come back.")));
        }
        socket.patch(Patch::inner("#echo", Html::text(&text))).await
    }

    /// The next second is told anyway.
    async fn lagged(&mut self, _: &mut Socket) -> Result<(), Error> {
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
