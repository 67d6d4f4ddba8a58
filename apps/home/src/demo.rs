//! The demo counter. It is shown as a bell: each click increments the count in every open window.

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

/// The delay before a change of either number is sent. Changes within it share one update: a
/// thousand browsers that reconnect after a restart cause a few updates, not a thousand.
const UPDATE_DELAY: Duration = Duration::from_millis(50);

/// The limit for increments over HTTP, for each client address. Sockets have their own rate limit.
const RINGS: Budget = Budget::new("home.rings", Quota::at_most(60, Duration::from_secs(60)));

/// `POST /ring/`: increments the counter without JavaScript and redirects to the page.
pub(crate) async fn ring(
    State(site): State<SiteState>,
    address: ClientAddress,
) -> Result<Response, SiteError> {
    site.count(&RINGS, None, Some(address.network()))?;
    DemoCounter::of(&site).increment();
    Ok(Redirect::to("/").into_response())
}

pub(crate) async fn socket(State(site): State<SiteState>, upgrade: Upgrade) -> Response {
    upgrade.run(HomeConsumer { counter: DemoCounter::of(&site) })
}

/// The number of clicks since this process started, and the number of windows open now.
#[derive(Debug, Clone)]
pub(crate) struct DemoCounter {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    group: Group<()>,
    rings: Mutex<u64>,
    windows: AtomicUsize,
    /// Whether an update of the count is scheduled.
    rings_scheduled: AtomicBool,
    /// Whether an update of the number of windows is scheduled.
    windows_scheduled: AtomicBool,
}

impl DemoCounter {
    /// The counter of a site.
    pub(crate) fn of(site: &SiteState) -> Self {
        (*site.own_or(|| Self::new(site))).clone()
    }

    fn new(site: &SiteState) -> Self {
        let group = site.bellwire().layer().group(GroupName::of("home.demo", 0));
        let (rings, windows, rings_scheduled, windows_scheduled) = Default::default();
        let inner = Inner { group, rings, windows, rings_scheduled, windows_scheduled };
        Self { inner: Arc::new(inner) }
    }

    pub(crate) fn rings(&self) -> u64 {
        *self.lock_rings()
    }

    fn lock_rings(&self) -> MutexGuard<'_, u64> {
        self.inner.rings.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn windows(&self) -> usize {
        self.inner.windows.load(Ordering::Relaxed)
    }

    fn increment(&self) {
        *self.lock_rings() += 1;
        self.schedule(|inner| &inner.rings_scheduled, |counter| number("#rings", counter.rings()));
    }

    fn opened(&self) {
        self.inner.windows.fetch_add(1, Ordering::Relaxed);
        self.update_windows();
    }

    fn closed(&self) {
        self.inner.windows.fetch_sub(1, Ordering::Relaxed);
        self.update_windows();
    }

    fn update_windows(&self) {
        self.schedule(
            |inner| &inner.windows_scheduled,
            |counter| number("#windows", counter.windows()),
        );
    }

    /// Sends one patch to every window after [`UPDATE_DELAY`], unless one is scheduled already.
    fn schedule(&self, scheduled: fn(&Inner) -> &AtomicBool, patch: fn(&Self) -> Patch) {
        if scheduled(&self.inner).swap(true, Ordering::AcqRel) {
            return;
        }
        let counter = self.clone();
        tokio::spawn(async move {
            tokio::time::sleep(UPDATE_DELAY).await;
            scheduled(&counter.inner).store(false, Ordering::Release);
            counter.inner.group.patch(patch(&counter));
        });
    }
}

fn number(selector: &'static str, number: impl ToString) -> Patch {
    Patch::inner(selector, Html::text(&number.to_string()))
}

/// The actions of the front page's socket.
#[derive(Debug, Deserialize)]
#[serde(tag = "action", content = "data")]
enum HomeAction {
    Ring {},
}

impl Action for HomeAction {
    const FORM: Option<&'static str> = Some("Ring");
}

struct HomeConsumer {
    counter: DemoCounter,
}

impl HomeConsumer {
    /// Sends both numbers, which may have changed since the page was rendered.
    async fn show(&self, socket: &mut Socket) -> Result<(), Error> {
        socket.patch(number("#rings", self.counter.rings())).await?;
        socket.patch(number("#windows", self.counter.windows())).await
    }
}

impl Consumer for HomeConsumer {
    type Action = HomeAction;
    type Event = ();

    async fn connect(&mut self, socket: &mut Socket) -> Result<(), Error> {
        self.counter.opened();
        socket.join(&self.counter.inner.group);
        self.show(socket).await
    }

    async fn receive(
        &mut self,
        _socket: &mut Socket,
        HomeAction::Ring {}: HomeAction,
    ) -> Result<(), Error> {
        self.counter.increment();
        Ok(())
    }

    async fn lagged(&mut self, socket: &mut Socket) -> Result<(), Error> {
        self.show(socket).await
    }

    async fn disconnect(&mut self, _socket: &mut Socket, _close: Close) {
        self.counter.closed();
    }
}
