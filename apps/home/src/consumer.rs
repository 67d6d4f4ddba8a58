//! The consumer and the form of the demo counter.

use std::time::Duration;

use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use bellwire_site::bellwire::rate::Quota;
use bellwire_site::bellwire::{Action, Close, Consumer, Error, Socket};
use bellwire_site::{Budget, ClientAddress, SiteError, SiteState, Upgrade};
use serde::Deserialize;

use crate::counter::DemoCounter;

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
        for patch in self.counter.patches() {
            socket.patch(patch).await?;
        }
        Ok(())
    }
}

impl Consumer for HomeConsumer {
    type Action = HomeAction;
    type Event = ();

    async fn connect(&mut self, socket: &mut Socket) -> Result<(), Error> {
        self.counter.opened();
        socket.join(self.counter.group());
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
