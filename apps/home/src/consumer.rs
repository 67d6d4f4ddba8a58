//! The consumer and the form of the demo counter.

use std::time::Duration;

use axum::extract::State;
use axum::response::{Redirect, Response};
use bellwire_site::bellwire::rate::Quota;
use bellwire_site::bellwire::{Action, Close, Consumer, Error, Socket};
use bellwire_site::{Answer, Budget, ClientAddress, Live, SiteError, SiteState};

use crate::counter::DemoCounter;

/// The limit for increments over HTTP, for each client address. Sockets have their own rate limit.
const RINGS: Budget = Budget::new("home.rings", Quota::at_most(60, Duration::from_secs(60)));

/// `POST /ring/`: increments the counter without a socket and redirects to the page.
pub(crate) async fn ring(
    State(site): State<SiteState>,
    address: ClientAddress,
    answer: Answer,
) -> Result<Response, SiteError> {
    site.count(&RINGS, None, Some(address.network()))?;
    DemoCounter::of(&site).increment();
    Ok(answer.ok(Redirect::to("/")))
}

pub(crate) async fn live(State(site): State<SiteState>, live: Live) -> Response {
    live.run(HomeConsumer { counter: DemoCounter::of(&site) })
}

/// The actions of the front page.
#[derive(Debug, Action)]
pub(crate) enum HomeAction {
    #[action(form)]
    Ring {},
}

struct HomeConsumer {
    counter: DemoCounter,
}

impl HomeConsumer {
    /// Sends both numbers, which may have changed since the page was rendered.
    async fn show(&self, socket: &mut Socket<Self>) -> Result<(), Error> {
        for patch in self.counter.patches() {
            socket.patch(patch).await?;
        }
        Ok(())
    }
}

impl Consumer for HomeConsumer {
    type Action = HomeAction;
    type Event = ();
    type Error = Error;

    async fn connect(&mut self, socket: &mut Socket<Self>) -> Result<(), Error> {
        self.counter.opened();
        socket.join(self.counter.group());
        self.show(socket).await
    }

    async fn receive(
        &mut self,
        _: &mut Socket<Self>,
        HomeAction::Ring {}: HomeAction,
    ) -> Result<(), Error> {
        self.counter.increment();
        Ok(())
    }

    async fn lagged(&mut self, socket: &mut Socket<Self>) -> Result<(), Error> {
        self.show(socket).await
    }

    async fn disconnect(&mut self, _: &mut Socket<Self>, _: Close) {
        self.counter.closed();
    }
}
