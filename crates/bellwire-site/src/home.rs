//! The first page: what is here, what to do next, and a bell that rings in every open window at once.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use bellwire::{Action, Bellwire, Close, Consumer, Error, Group, GroupName, Html, Patch, Socket};
use serde::Deserialize;

use crate::accounts::MaybeUser;
use crate::{Page, SiteError, SiteState, Upgrade};

/// How long changes in the number of open windows are gathered, so that a thousand browsers that come back after a
/// restart are announced a few times, not a thousand times.
const GATHER: Duration = Duration::from_millis(50);

pub(crate) fn routes() -> Router<SiteState> {
    Router::new().route("/", get(show)).route("/ring/", post(ring)).route("/ws/", get(socket))
}

#[derive(Template)]
#[template(path = "pages/home.html")]
struct HomePage {
    apps: Vec<AppCard>,
    needs_admin: bool,
    signed_in: bool,
    rings: u64,
    windows: usize,
}

struct AppCard {
    name: &'static str,
    summary: &'static str,
    href: &'static str,
}

async fn show(State(site): State<SiteState>, MaybeUser(user): MaybeUser) -> Result<Page, SiteError> {
    let card = |card: &crate::Card| AppCard { name: card.title, summary: card.about, href: card.path };
    let main = Html::from_template(&HomePage {
        apps: site.cards().iter().map(card).collect(),
        needs_admin: !site.accounts().has_administrator().await?,
        signed_in: user.is_some(),
        rings: site.bell().rings(),
        windows: site.bell().windows(),
    })?;
    Ok(Page::new("", main).script("bell_controller.js"))
}

/// Without JavaScript: rings, and shows the page again.
async fn ring(State(site): State<SiteState>) -> Response {
    site.bell().ring();
    Redirect::to("/").into_response()
}

async fn socket(State(site): State<SiteState>, upgrade: Upgrade) -> Response {
    upgrade.run(HomeConsumer { bell: site.bell().clone() })
}

/// How often the bell was rung since this process began, and how many look at it now.
#[derive(Debug, Clone)]
pub(crate) struct Bell {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    group: Group<()>,
    rings: Mutex<u64>,
    windows: AtomicUsize,
    /// Whether the number of windows is about to be announced.
    announcing: AtomicBool,
}

impl Bell {
    pub(crate) fn new(bellwire: &Bellwire) -> Self {
        let group = bellwire.layer().group(GroupName::of("site.home", 0));
        let (rings, windows, announcing) = Default::default();
        Self { inner: Arc::new(Inner { group, rings, windows, announcing }) }
    }

    fn rings(&self) -> u64 {
        *self.count()
    }

    fn count(&self) -> MutexGuard<'_, u64> {
        self.inner.rings.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn windows(&self) -> usize {
        self.inner.windows.load(Ordering::Relaxed)
    }

    fn ring(&self) {
        let mut rings = self.count();
        *rings += 1;
        self.inner.group.patch(number("#rings", *rings)); // while it is locked, so that no window counts backwards
    }

    fn opened(&self) {
        self.inner.windows.fetch_add(1, Ordering::Relaxed);
        self.announce();
    }

    fn closed(&self) {
        self.inner.windows.fetch_sub(1, Ordering::Relaxed);
        self.announce();
    }

    fn announce(&self) {
        if self.inner.announcing.swap(true, Ordering::AcqRel) {
            return;
        }
        let bell = self.clone();
        tokio::spawn(async move {
            tokio::time::sleep(GATHER).await;
            bell.inner.announcing.store(false, Ordering::Release);
            bell.inner.group.patch(number("#windows", bell.windows()));
        });
    }
}

fn number(selector: &str, number: impl ToString) -> Patch {
    Patch::inner(selector, Html::text(&number.to_string()))
}

/// What a window with the first page may ask.
#[derive(Debug, Deserialize)]
#[serde(tag = "action", content = "data")]
enum Ask {
    Ring {},
}

impl Action for Ask {
    const FORM: Option<&'static str> = Some("Ring");
}

struct HomeConsumer {
    bell: Bell,
}

impl HomeConsumer {
    /// What may have changed since the page was made.
    async fn show(&self, socket: &mut Socket) -> Result<(), Error> {
        socket.patch(number("#rings", self.bell.rings())).await?;
        socket.patch(number("#windows", self.bell.windows())).await
    }
}

impl Consumer for HomeConsumer {
    type Action = Ask;
    type Event = ();

    async fn connect(&mut self, socket: &mut Socket) -> Result<(), Error> {
        self.bell.opened();
        socket.join(&self.bell.inner.group);
        self.show(socket).await
    }

    async fn receive(&mut self, _socket: &mut Socket, Ask::Ring {}: Ask) -> Result<(), Error> {
        self.bell.ring();
        Ok(())
    }

    async fn lagged(&mut self, socket: &mut Socket) -> Result<(), Error> {
        self.show(socket).await
    }

    async fn disconnect(&mut self, _socket: &mut Socket, _close: Close) {
        self.bell.closed();
    }
}
