//! The state of a site, as its handlers see it.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::FromRef;
use axum::http::Extensions;
use bellwire::Bellwire;
use bellwire_db::{Clock, Db};

use crate::assets::Assets;
use crate::nav_item::NavItem;
use crate::public_url::PublicUrl;
use crate::shell::Shell;

/// The site as its handlers see it. Cheap to clone; [`Db`] can be taken from it by itself.
///
/// [`Bellwire`] cannot, so that the site's `Upgrade` is the only way to a socket.
#[derive(Debug, Clone)]
pub struct SiteState {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    parts: SiteParts,
    own: Mutex<HashMap<TypeId, Arc<dyn Any + Send + Sync>>>,
}

/// The parts a [`SiteState`] is made of.
#[derive(Debug)]
pub struct SiteParts {
    /// The site's name, for titles and the shell.
    pub name: String,
    /// The address people know it by.
    pub public_url: PublicUrl,
    /// The database.
    pub db: Db,
    /// Groups and sockets.
    pub bellwire: Bellwire,
    /// The clock of everything that waits or expires.
    pub clock: Clock,
    /// The static files.
    pub assets: Assets,
    /// The document around each page.
    pub shell: Box<dyn Shell>,
    /// Style sheets of the site's own, as paths among the static files.
    pub theme: Vec<String>,
    /// The apps, in the order of the navigation.
    pub cards: Vec<NavItem>,
    /// The paths of maps for search engines.
    pub sitemaps: Vec<&'static str>,
    /// One value of each type, for whoever knows the type: see [`SiteState::get`].
    pub values: Extensions,
}

impl SiteState {
    /// A site of these parts.
    pub fn new(parts: SiteParts) -> Self {
        Self { inner: Arc::new(Inner { parts, own: Mutex::default() }) }
    }

    /// The site's name.
    pub fn name(&self) -> &str {
        &self.inner.parts.name
    }

    /// The address people know it by.
    pub fn public_url(&self) -> &PublicUrl {
        &self.inner.parts.public_url
    }

    /// The database.
    pub fn db(&self) -> &Db {
        &self.inner.parts.db
    }

    /// Groups and sockets.
    pub fn bellwire(&self) -> &Bellwire {
        &self.inner.parts.bellwire
    }

    /// The path prefix of static files: `/static/<build>`.
    pub fn build(&self) -> &str {
        self.inner.parts.assets.base()
    }

    /// The clock of everything that waits or expires.
    pub fn clock(&self) -> &Clock {
        &self.inner.parts.clock
    }

    /// The apps in the navigation, in its order.
    pub fn cards(&self) -> &[NavItem] {
        &self.inner.parts.cards
    }

    /// A value that the site was built with, by its type.
    pub fn get<T: Send + Sync + 'static>(&self) -> Option<&T> {
        self.inner.parts.values.get()
    }

    /// What an app keeps in memory for this site: one value of each type, made when it is first
    /// asked for.
    pub fn own<T: Default + Send + Sync + 'static>(&self) -> Arc<T> {
        self.own_or(T::default)
    }

    /// The same, of a value that `make` makes. `make` must not ask for another such value.
    pub fn own_or<T: Send + Sync + 'static>(&self, make: impl FnOnce() -> T) -> Arc<T> {
        let mut own = self.inner.own.lock().unwrap_or_else(PoisonError::into_inner);
        let value = own.entry(TypeId::of::<T>()).or_insert_with(|| Arc::new(make())).clone();
        value.downcast().unwrap_or_else(|_| unreachable!("kept under its own type"))
    }

    pub(crate) fn assets(&self) -> &Assets {
        &self.inner.parts.assets
    }

    pub(crate) fn shell(&self) -> &dyn Shell {
        &*self.inner.parts.shell
    }

    pub(crate) fn theme(&self) -> &[String] {
        &self.inner.parts.theme
    }

    pub(crate) fn sitemaps(&self) -> &[&'static str] {
        &self.inner.parts.sitemaps
    }
}

impl FromRef<SiteState> for Db {
    fn from_ref(site: &SiteState) -> Self {
        site.db().clone()
    }
}
