//! Laps: a list that grows at its end and is never rendered again.

use askama::Template;
use axum::Router;
use axum::routing::get;
use bellwire_site::bellwire::{Action, Consumer, Error, Html, Patch, Socket};
use bellwire_site::{Live, Page, SiteError, SiteState};
use chrono::Utc;

/// The most laps on one page.
const MAX_LAPS: u32 = 100;

pub(crate) fn routes() -> Router<SiteState> {
    let live = async |live: Live| live.run(Runner(Laps::default()));
    Router::new().route("/laps/", get(show)).route("/ws/laps/", get(live))
}

#[derive(Template)]
#[template(path = "playground/laps.html")]
struct LapsPage;

async fn show() -> Result<Page, SiteError> {
    let about = "A lap counter: each press appends the time, and the list is never rendered again.";
    Ok(crate::page("Laps", about, &LapsPage)?.connect("/ws/laps/"))
}

#[derive(Action)]
pub(crate) enum LapsAction {
    #[serde(rename = "Add lap")]
    AddLap {},
}

/// The number of laps on this socket's page.
#[derive(Debug, Default)]
pub(crate) struct Laps(u32);

impl Laps {
    /// Counts a lap and returns the patch that appends it.
    ///
    /// # Errors
    /// The page has 100 laps.
    pub(crate) fn add(&mut self) -> Result<Patch, Error> {
        if self.0 == MAX_LAPS {
            return Err(Error::refused(format!(
                "A page counts at most {MAX_LAPS} laps. Reload the page to start again."
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
    type Action = LapsAction;
    type Event = ();
    type Error = Error;

    async fn receive(
        &mut self,
        socket: &mut Socket<Self>,
        LapsAction::AddLap {}: LapsAction,
    ) -> Result<(), Error> {
        socket.patch(self.0.add()?).await
    }
}
