//! Two tabs: text typed in one tab appears in all others. Shows an action, a group, and an event
//! that is not sent to its sender.
//!
//! `cargo run -p bellwire --example two_tabs`, then open the address it prints in two windows.

use axum::Router;
use axum::response::{Html as Page, Response};
use axum::routing::get;
use bellwire::{Action, Bellwire, Consumer, Error, Html, Live, Patch, Socket, Topic};

/// The maximum length of a text, in bytes.
const MAX_BYTES: usize = 1_000;

const TABS: Topic<u8, TabEvent> = Topic::new("tabs");

/// The actions of a tab.
#[derive(Action)]
enum TabAction {
    /// Shows this text in the other tabs.
    Write { text: String },
}

/// The events between tabs.
#[derive(serde::Serialize, serde::Deserialize)]
enum TabEvent {
    Wrote { text: String },
}

struct Tab;

impl Consumer for Tab {
    type Action = TabAction;
    type Event = TabEvent;
    type Error = Error;

    async fn connect(&mut self, socket: &mut Socket<Self>) -> Result<(), Error> {
        socket.join(TABS.of(1));
        Ok(())
    }

    async fn receive(
        &mut self,
        socket: &mut Socket<Self>,
        TabAction::Write { text }: TabAction,
    ) -> Result<(), Error> {
        if text.len() > MAX_BYTES {
            let error = format!("The text is too long. At most {MAX_BYTES} bytes are allowed.");
            return Err(Error::refuse("text", error));
        }
        let tabs = socket.layer().group(TABS.of(1));
        tabs.send_except(socket.channel(), TabEvent::Wrote { text })
    }

    async fn event(
        &mut self,
        socket: &mut Socket<Self>,
        TabEvent::Wrote { text }: &TabEvent,
    ) -> Result<(), Error> {
        socket.patch(Patch::inner("#other", Html::text(text))).await
    }
}

async fn socket(live: Live) -> Response {
    live.run(Tab)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:9003".into());
    let bellwire = Bellwire::builder(format!("http://{address}")).build()?;
    let page = || async { Page(include_str!("two_tabs.html")) };
    let app = Router::new().route("/", get(page)).route("/ws/", get(socket)).with_state(bellwire);
    let listener = tokio::net::TcpListener::bind(&address).await?;
    eprintln!("Open http://{} in two windows", listener.local_addr()?);
    Ok(axum::serve(listener, app).await?)
}
