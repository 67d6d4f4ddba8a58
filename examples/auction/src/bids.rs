//! Bids: the action, by form and over a connection, and the feed of a lot.

use std::time::Duration;

use axum::extract::{Path, State};
use axum::response::{Redirect, Response};
use bellwire::serde::lenient_int;
use bellwire::{
    Action, ActionForm, Answer, CatchUp, Change, Error, Feed, FeedSource, IdempotencyKey, Layer,
    Patch, Seq, Topic,
};
use serde_json::json;

use crate::error::AuctionError;
use crate::person::{MaybePerson, Person, key_of};
use crate::store::{Bid, Store};
use crate::{Auction, fragments};

/// The pages that show a lot.
pub(crate) const LOT: Topic<i64> = Topic::new("auction.lot");

/// The time for which somebody counts as about to bid.
const THINKING: Duration = Duration::from_secs(4);

/// What a page may ask for.
#[derive(Debug, Action)]
pub(crate) enum Ask {
    /// Places a bid.
    #[action(form)]
    Bid {
        #[serde(default)]
        amount: String,
        client_id: Option<String>,
    },
    /// Checks an amount while it is typed, and shows the others that somebody is about to bid.
    Check {
        #[serde(deserialize_with = "lenient_int")]
        amount: i64,
    },
}

/// The feed of a lot, whose source is the table of bids.
pub(crate) fn feed(layer: &Layer, store: &Store, lot: i64) -> Feed<bellwire::NoEvents, LotBids> {
    layer.feed(LOT.of(lot), LotBids { store: store.clone(), lot })
}

/// The bids of a lot.
#[derive(Debug)]
pub(crate) struct LotBids {
    store: Store,
    lot: i64,
}

impl FeedSource for LotBids {
    async fn catch_up(&self, since: Option<Seq>, _: &str) -> Result<CatchUp, Error> {
        let bids = self.store.bids(self.lot, since.unwrap_or(0)).await?;
        let seq = bids.last().map_or(since.unwrap_or(0), |bid| bid.seq);
        let patches = match since {
            Some(_) => bids.iter().map(fragments::new_bid).collect(),
            None => vec![fragments::all_bids(&bids)],
        };
        Ok(CatchUp { patches, seq })
    }
}

/// `POST /lots/{lot}/bid`: a bid by form, without JavaScript or without a WebSocket.
pub(crate) async fn by_form(
    State(auction): State<Auction>,
    Path(lot): Path<i64>,
    MaybePerson(person): MaybePerson,
    answer: Answer,
    ActionForm(ask): ActionForm<Ask>,
) -> Result<Response, AuctionError> {
    answer.ensure_person(person.as_ref().map(Person::key).as_deref())?;
    perform(&auction, lot, person.as_ref(), ask).await?;
    Ok(answer.ok(Redirect::to(&format!("/lots/{lot}/"))))
}

/// Does what a page asks for.
pub(crate) async fn perform(
    auction: &Auction,
    lot: i64,
    person: Option<&Person>,
    ask: Ask,
) -> Result<(), AuctionError> {
    let person = person.ok_or(AuctionError::SignedOut)?;
    match ask {
        Ask::Bid { amount, client_id } => {
            let amount = amount.trim().parse().map_err(|_| AuctionError::NoAmount)?;
            place(auction, lot, person, amount, client_id).await
        }
        Ask::Check { amount } => {
            let thinking = auction.bellwire.layer().group(LOT.of(lot));
            thinking.state(
                &format!("person-{}", person.id),
                fragments::thinking(person),
                THINKING,
            )?;
            let least = auction.store.highest(lot).await?.map_or(1, |bid| bid.amount + 1);
            if amount < least { Err(AuctionError::TooLow { least }) } else { Ok(()) }
        }
    }
}

async fn place(
    auction: &Auction,
    lot: i64,
    person: &Person,
    amount: i64,
    client_id: Option<String>,
) -> Result<(), AuctionError> {
    let key = IdempotencyKey::parse(client_id.as_deref())?;
    let layer = auction.bellwire.layer();
    let before = auction.store.highest(lot).await?;
    let (store, person) = (auction.store.clone(), person.clone());
    let bidder = person.id;
    // Runs to its end even if this page goes away: what is committed is published.
    let bid: Bid = feed(layer, &auction.store, lot)
        .commit(async move {
            let key = key.as_ref().map(IdempotencyKey::as_str);
            let bid = store.place(lot, &person, amount, key).await?;
            Ok::<_, AuctionError>(Change {
                seq: bid.seq,
                patch: fragments::new_bid(&bid),
                value: bid,
            })
        })
        .await?;
    layer.group(LOT.of(lot)).clear_state(&format!("person-{bidder}"))?;
    if let Some(outbid) = before.filter(|before| before.person != bidder && before.seq < bid.seq) {
        let detail = json!({ "lot": lot, "by": bid.name, "amount": bid.amount });
        layer.person(&key_of(outbid.person)).patch(Patch::event("auction:outbid", detail));
    }
    Ok(())
}
