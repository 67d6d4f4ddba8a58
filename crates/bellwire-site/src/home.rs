//! The first page: what is here, what to do next, and a bell that rings in every open window at once.

use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::http::Extensions;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use bellwire::rate::Quota;
use bellwire::{
    Action, Bellwire, ClientAddress, Close, Consumer, Error, Group, GroupName, Html, Patch, Socket,
};
use bellwire_db::Clock;
use serde::Deserialize;

use crate::accounts::MaybeUser;
use crate::limits::SharedRateLimiter;
use crate::{Page, SiteError, SiteState, Upgrade};

/// How long rings, and changes in the number of open windows, are gathered, so that a thousand browsers that come back after a
/// restart are announced a few times, not a thousand times.
const GATHER: Duration = Duration::from_millis(50);

/// How often one address may ring over HTTP, and the time it counts for. Sockets have a pace of their own.
const RINGS: Quota = Quota::at_most(60, Duration::from_secs(60));

pub(crate) fn routes() -> Router<SiteState> {
    Router::new().route("/", get(show)).route("/ring/", post(ring)).route("/ws/", get(socket))
}

#[derive(Template)]
#[template(path = "pages/home.html")]
struct HomePage {
    apps: Vec<AppCard>,
    needs_admin: bool,
    signed_in: bool,
    is_open: bool,
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
        is_open: site.accounts().is_open(),
        rings: site.bell().rings(),
        windows: site.bell().windows(),
    })?;
    Ok(Page::new("", main).script("bell_controller.js"))
}

/// Without JavaScript: rings, and shows the page again.
async fn ring(State(site): State<SiteState>, extensions: Extensions) -> Result<Response, SiteError> {
    let from = ClientAddress::of(&extensions).network();
    site.bell().inner.rung_by.take(&from).map_err(|retry_after| SiteError::TooMany { retry_after })?;
    site.bell().ring();
    Ok(Redirect::to("/").into_response())
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
    rung_by: SharedRateLimiter<IpAddr>,
    windows: AtomicUsize,
    /// Whether the number of rings is about to be announced.
    ringing: AtomicBool,
    /// Whether the number of windows is about to be announced.
    announcing: AtomicBool,
}

impl Bell {
    pub(crate) fn new(bellwire: &Bellwire, clock: Clock) -> Self {
        let group = bellwire.layer().group(GroupName::of("site.home", 0));
        let (rings, windows, ringing, announcing) = Default::default();
        let rung_by = SharedRateLimiter::new(RINGS, clock);
        Self { inner: Arc::new(Inner { group, rings, rung_by, windows, ringing, announcing }) }
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
        *self.count() += 1;
        self.gathered(|inner| &inner.ringing, |bell| number("#rings", bell.rings()));
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
        self.gathered(|inner| &inner.announcing, |bell| number("#windows", bell.windows()));
    }

    /// Tells every window, once for all that happens in a moment.
    fn gathered(&self, about_to: fn(&Inner) -> &AtomicBool, tell: fn(&Self) -> Patch) {
        if about_to(&self.inner).swap(true, Ordering::AcqRel) {
            return;
        }
        let bell = self.clone();
        tokio::spawn(async move {
            tokio::time::sleep(GATHER).await;
            about_to(&bell.inner).store(false, Ordering::Release);
            bell.inner.group.patch(tell(&bell));
        });
    }
}

fn number(selector: &'static str, number: impl ToString) -> Patch {
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
