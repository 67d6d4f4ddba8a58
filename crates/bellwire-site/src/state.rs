//! What every handler may ask for.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::FromRef;
use bellwire::Bellwire;
use bellwire_db::{Clock, Db};

use crate::accounts::Accounts;
use crate::app::Card;
use crate::assets::Assets;
use crate::home::Bell;
use crate::settings::{PublicUrl, Settings};
use crate::visits::Visits;

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
    pub(crate) visits: Visits,
    pub(crate) assets: Assets,
    pub(crate) cards: Vec<Card>,
    pub(crate) sitemaps: Vec<&'static str>,
    pub(crate) bell: Bell,
    pub(crate) clock: Clock,
    pub(crate) own: Mutex<HashMap<TypeId, Arc<dyn Any + Send + Sync>>>,
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

    /// What an app keeps in memory for this site: one value of each type, made when it is first asked for.
    pub fn own<T: Default + Send + Sync + 'static>(&self) -> Arc<T> {
        self.kept(T::default)
    }

    /// The same, of what has to be made in another way; which asks for nothing that is kept here.
    pub(crate) fn kept<T: Send + Sync + 'static>(&self, make: impl FnOnce() -> T) -> Arc<T> {
        let mut own = self.inner.own.lock().unwrap_or_else(PoisonError::into_inner);
        let value = own.entry(TypeId::of::<T>()).or_insert_with(|| Arc::new(make())).clone();
        value.downcast().unwrap_or_else(|_| unreachable!("kept under its own type"))
    }

    pub(crate) fn visits(&self) -> &Visits {
        &self.inner.visits
    }

    pub(crate) fn assets(&self) -> &Assets {
        &self.inner.assets
    }

    pub(crate) fn cards(&self) -> &[Card] {
        &self.inner.cards
    }

    pub(crate) fn sitemaps(&self) -> &[&'static str] {
        &self.inner.sitemaps
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
