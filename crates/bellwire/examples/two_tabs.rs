//! Two tabs: text typed in one tab appears in all others. Shows an action, a group, and an event
//! that is not sent to its sender.
//!
//! `cargo run -p bellwire --example two_tabs`, then open the address it prints in two windows.

use axum::Router;
use axum::response::{Html as Page, Response};
use axum::routing::get;
use bellwire::{Action, Bellwire, Consumer, Error, Group, GroupName, Html, Patch, Socket, Upgrade};

/// The maximum length of a text, in bytes.
const MAX_BYTES: usize = 1_000;

/// The actions of a tab.
#[derive(serde::Deserialize)]
#[serde(tag = "action", content = "data")]
enum TabAction {
    /// Shows this text in the other tabs.
    Write { text: String },
}
impl Action for TabAction {}

/// The events between tabs.
#[derive(serde::Serialize, serde::Deserialize)]
enum TabEvent {
    Wrote { text: String },
}

struct Tab;

fn tabs(socket: &Socket) -> Group<TabEvent> {
    socket.layer().group(GroupName::of("tabs", 1))
}

impl Consumer for Tab {
    type Action = TabAction;
    type Event = TabEvent;

    async fn connect(&mut self, socket: &mut Socket) -> Result<(), Error> {
        socket.join(&tabs(socket));
        Ok(())
    }

    async fn receive(
        &mut self,
        socket: &mut Socket,
        TabAction::Write { text }: TabAction,
    ) -> Result<(), Error> {
        if text.len() > MAX_BYTES {
            let error = format!("The text is too long. At most {MAX_BYTES} bytes are allowed.");
            return Err(Error::invalid("text", error));
        }
        tabs(socket).send_except(socket.channel(), TabEvent::Wrote { text });
        Ok(())
    }

    async fn event(
        &mut self,
        socket: &mut Socket,
        TabEvent::Wrote { text }: &TabEvent,
    ) -> Result<(), Error> {
        socket.patch(Patch::inner("#other", Html::text(text))).await
    }
}

async fn socket(upgrade: Upgrade) -> Response {
    upgrade.run(Tab)
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
