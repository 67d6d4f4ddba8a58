//! A live auction: Bellwire in a plain axum app with its own cookies, sqlx and maud.
//!
//! - `store.rs`: the tables, with one numbered list of bids for each lot;
//! - `person.rs`: sign-in by a cookie of the app's own;
//! - `error.rs`: what the app refuses, once for pages, forms and connections;
//! - `bids.rs`: the action, and the feed of a lot;
//! - `live.rs`: the connection of a page;
//! - `fragments.rs`: the patches, and the only place that knows selectors;
//! - `pages.rs`: the pages.

mod bids;
mod error;
mod fragments;
mod live;
mod pages;
mod person;
mod store;

use axum::Router;
use axum::extract::FromRef;
use axum::routing::{get, post};
use bellwire::Bellwire;

pub use store::Store;

/// The state of the app.
#[derive(Debug, Clone)]
pub struct Auction {
    bellwire: Bellwire,
    store: Store,
}

// The only requirement of Bellwire's extractors.
impl FromRef<Auction> for Bellwire {
    fn from_ref(auction: &Auction) -> Self {
        auction.bellwire.clone()
    }
}

impl Auction {
    /// An auction of the lots in this store.
    pub fn new(bellwire: Bellwire, store: Store) -> Self {
        Self { bellwire, store }
    }

    /// The routes. Must be called within a tokio runtime, which lists the people who watch a lot.
    pub fn router(self) -> Router {
        tokio::spawn(live::show_watchers(self.bellwire.layer().clone()));
        Router::new()
            .route("/", get(pages::lots))
            .route("/lots/{lot}/", get(pages::lot))
            .route("/lots/{lot}/bid", post(bids::by_form))
            .route("/live/{lot}/", get(live::live))
            .route("/sign-in", get(pages::sign_in).post(person::sign_in))
            .route("/sign-out", post(person::sign_out))
            .merge(self.bellwire.assets())
            .with_state(self)
    }
}
