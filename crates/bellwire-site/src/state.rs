//! What every handler may ask for.

use std::sync::Arc;

use axum::extract::FromRef;
use bellwire::Bellwire;

use crate::accounts::Accounts;
use crate::app::Card;
use crate::assets::Assets;
use crate::clock::Clock;
use crate::db::Db;
use crate::home::Bell;
use crate::settings::{PublicUrl, Settings};

/// The site as its handlers see it. Cheap to clone; [`Db`] can be taken from it by itself.
///
/// [`Bellwire`] cannot, so that the site's [`Upgrade`](crate::Upgrade) is the only way to a socket.
#[derive(Debug, Clone)]
pub struct SiteState {
    pub(crate) inner: Arc<Inner>,
}

#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) settings: Settings,
    pub(crate) public_url: PublicUrl,
    pub(crate) db: Db,
    pub(crate) bellwire: Bellwire,
    pub(crate) accounts: Accounts,
    pub(crate) assets: Assets,
    pub(crate) cards: Vec<Card>,
    pub(crate) bell: Bell,
    pub(crate) clock: Clock,
}

impl SiteState {
    /// The settings it was started with.
    pub fn settings(&self) -> &Settings {
        &self.inner.settings
    }

    /// The address people know it by.
    pub fn public_url(&self) -> &PublicUrl {
        &self.inner.public_url
    }

    /// The database.
    pub fn db(&self) -> &Db {
        &self.inner.db
    }

    /// Groups and sockets.
    pub fn bellwire(&self) -> &Bellwire {
        &self.inner.bellwire
    }

    /// People and their sessions.
    pub fn accounts(&self) -> &Accounts {
        &self.inner.accounts
    }

    /// What every address of a static file begins with: `/static/<build>`.
    pub fn build(&self) -> &str {
        self.inner.assets.base()
    }

    /// The clock of everything that waits or expires.
    pub fn clock(&self) -> &Clock {
        &self.inner.clock
    }

    pub(crate) fn assets(&self) -> &Assets {
        &self.inner.assets
    }

    pub(crate) fn cards(&self) -> &[Card] {
        &self.inner.cards
    }

    pub(crate) fn bell(&self) -> &Bell {
        &self.inner.bell
    }
}

impl FromRef<SiteState> for Db {
    fn from_ref(site: &SiteState) -> Self {
        site.db().clone()
    }
}
