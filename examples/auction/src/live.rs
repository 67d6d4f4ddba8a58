//! The connection of a page that shows a lot.

use std::time::Duration;

use axum::extract::{Path, State};
use axum::response::Response;
use bellwire::{Consumer, Layer, Live, Socket};
use serde::{Deserialize, Serialize};

use crate::bids::{Ask, LOT, feed, perform};
use crate::error::AuctionError;
use crate::person::{MaybePerson, Person};
use crate::{Auction, fragments};

/// The time over which arrivals are gathered.
const GATHERED: Duration = Duration::from_millis(200);

/// `GET /live/{lot}/`: a WebSocket, or a stream of events. Everybody may watch; `perform` checks who
/// may bid.
pub(crate) async fn live(
    State(auction): State<Auction>,
    Path(lot): Path<i64>,
    MaybePerson(person): MaybePerson,
    live: Live,
) -> Result<Response, AuctionError> {
    let lot = auction.store.lot(lot).await?.id;
    let live = match &person {
        Some(person) => live.person(person.key()).session(&*person.token),
        None => live,
    };
    Ok(live.run(Window { auction, lot, person }))
}

/// A page that shows a lot.
struct Window {
    auction: Auction,
    lot: i64,
    person: Option<Person>,
}

/// A person who watches a lot.
#[derive(Serialize, Deserialize)]
struct Watcher {
    name: String,
}

impl Consumer for Window {
    type Action = Ask;
    type Event = ();
    type Error = AuctionError;

    async fn connect(&mut self, socket: &mut Socket<Self>) -> Result<(), AuctionError> {
        let feed = feed(socket.layer(), &self.auction.store, self.lot);
        socket.follow(&feed);
        if let Some(Person { name, .. }) = &self.person {
            socket.track_as(&feed, &Watcher { name: name.clone() })?;
        }
        Ok(())
    }

    async fn receive(&mut self, _: &mut Socket<Self>, ask: Ask) -> Result<(), AuctionError> {
        perform(&self.auction, self.lot, self.person.as_ref(), ask).await
    }
}

/// Shows the people who watch a lot on all of its pages.
pub(crate) async fn show_watchers(layer: Layer) {
    let changes = layer.presence().changes();
    let show = move |group, _| {
        if let Some(lot) = LOT.id_of(&group) {
            let watchers = layer.presence().list(&group);
            let names = watchers.iter().filter_map(|who| who.facts::<Watcher>().ok());
            let names: Vec<_> = names.map(|watcher| watcher.name).collect();
            layer.group(LOT.of(lot)).patch(fragments::watchers(&names));
        }
        std::future::ready(())
    };
    changes.gather(GATHERED, show).await;
}
