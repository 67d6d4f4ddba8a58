//! Laps: a list that grows at its end and is never drawn again.

use askama::Template;
use axum::Router;
use axum::routing::get;
use bellwire_site::bellwire::{Action, Consumer, Error, Html, Patch, Socket};
use bellwire_site::{Page, SiteError, SiteState, Upgrade};
use chrono::Utc;
use serde::Deserialize;

/// How many laps one page counts.
const MOST: u32 = 100;

pub(crate) fn routes() -> Router<SiteState> {
    let socket = async |upgrade: Upgrade| upgrade.run(Runner(Laps::default()));
    Router::new().route("/laps/", get(show)).route("/ws/laps/", get(socket))
}

#[derive(Template)]
#[template(path = "playground/laps.html")]
struct LapsPage;

async fn show() -> Result<Page, SiteError> {
    let about =
        "A lap counter: each press adds the time to the list, and the list is never drawn again.";
    Ok(crate::page("Laps", about, &LapsPage)?.connect("/ws/laps/"))
}

#[derive(Deserialize)]
#[serde(tag = "action", content = "data")]
enum Ask {
    #[serde(rename = "Add lap")]
    AddLap {},
}

impl Action for Ask {}

/// How many laps were counted on this socket's page.
#[derive(Debug, Default)]
pub(crate) struct Laps(u32);

impl Laps {
    /// One more, as it is appended.
    pub(crate) fn add(&mut self) -> Result<Patch, Error> {
        if self.0 == MOST {
            return Err(Error::refused(format!(
                "{MOST} laps are enough. Load the page again to begin anew."
            )));
        }
        self.0 += 1;
        let time = Utc::now();
        let lap = format!(
            "<li class=\"lap\"><time datetime=\"{}\">{}</time></li>",
            time.to_rfc3339_opts(chrono::SecondsFormat::Secs, true),
            time.format("%H:%M:%S")
        );
        Ok(Patch::append("#laps", Html::trusted(lap)))
    }
}

struct Runner(Laps);

impl Consumer for Runner {
    type Action = Ask;
    type Event = ();

    async fn receive(&mut self, socket: &mut Socket, Ask::AddLap {}: Ask) -> Result<(), Error> {
        socket.patch(self.0.add()?).await
    }
}
