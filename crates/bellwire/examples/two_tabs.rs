//! What is typed in one tab appears in every other: an action, a group, and an event that leaves
//! its sender out.
//!
//! `cargo run -p bellwire --example two_tabs`, then open the address it prints in two windows.

use axum::Router;
use axum::response::{Html as Page, Response};
use axum::routing::get;
use bellwire::{Action, Bellwire, Consumer, Error, Group, GroupName, Html, Patch, Socket, Upgrade};

/// The longest text, in bytes.
const LONGEST: usize = 1_000;

/// What a tab may ask.
#[derive(serde::Deserialize)]
#[serde(tag = "action", content = "data")]
enum Ask {
    /// To show this text to the others.
    Write { text: String },
}
impl Action for Ask {}

/// What tabs tell each other.
#[derive(serde::Serialize, serde::Deserialize)]
enum Told {
    Wrote { text: String },
}

struct Tab;

fn tabs(socket: &Socket) -> Group<Told> {
    socket.layer().group(GroupName::of("tabs", 1))
}

impl Consumer for Tab {
    type Action = Ask;
    type Event = Told;

    async fn connect(&mut self, socket: &mut Socket) -> Result<(), Error> {
        socket.join(&tabs(socket));
        Ok(())
    }

    async fn receive(
        &mut self,
        socket: &mut Socket,
        Ask::Write { text }: Ask,
    ) -> Result<(), Error> {
        if text.len() > LONGEST {
            return Err(Error::invalid("text", format!("At most {LONGEST} bytes, please.")));
        }
        tabs(socket).send_except(socket.channel(), Told::Wrote { text });
        Ok(())
    }

    async fn event(
        &mut self,
        socket: &mut Socket,
        Told::Wrote { text }: &Told,
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
