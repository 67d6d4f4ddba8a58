//! The demo counter: a bell that rings in every open window at once.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use bellwire_site::bellwire::rate::Quota;
use bellwire_site::bellwire::{
    Action, Close, Consumer, Error, Group, GroupName, Html, Patch, Socket,
};
use bellwire_site::{Budget, ClientAddress, SiteError, SiteState, Upgrade};
use serde::Deserialize;

/// How long rings, and changes in the number of open windows, are gathered, so that a thousand
/// browsers that come back after a restart are announced a few times, not a thousand times.
const GATHER: Duration = Duration::from_millis(50);

/// How often one address may ring over HTTP, and the time it counts for. Sockets have a pace of
/// their own.
const RINGS: Budget = Budget::new("home.rings", Quota::at_most(60, Duration::from_secs(60)));

/// Without JavaScript: rings, and shows the page again.
pub(crate) async fn ring(
    State(site): State<SiteState>,
    address: ClientAddress,
) -> Result<Response, SiteError> {
    site.count(&RINGS, None, Some(address.network()))?;
    Bell::of(&site).ring();
    Ok(Redirect::to("/").into_response())
}

pub(crate) async fn socket(State(site): State<SiteState>, upgrade: Upgrade) -> Response {
    upgrade.run(HomeConsumer { bell: Bell::of(&site) })
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
    /// Whether the number of rings is about to be announced.
    ringing: AtomicBool,
    /// Whether the number of windows is about to be announced.
    announcing: AtomicBool,
}

impl Bell {
    /// The bell of a site.
    pub(crate) fn of(site: &SiteState) -> Self {
        (*site.own_or(|| Self::new(site))).clone()
    }

    fn new(site: &SiteState) -> Self {
        let group = site.bellwire().layer().group(GroupName::of("home.demo", 0));
        let (rings, windows, ringing, announcing) = Default::default();
        Self { inner: Arc::new(Inner { group, rings, windows, ringing, announcing }) }
    }

    pub(crate) fn rings(&self) -> u64 {
        *self.count()
    }

    fn count(&self) -> MutexGuard<'_, u64> {
        self.inner.rings.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn windows(&self) -> usize {
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
