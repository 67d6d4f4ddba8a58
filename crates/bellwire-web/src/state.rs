//! The shared state of a site.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::FromRef;
use axum::http::Extensions;
use bellwire::Bellwire;
use bellwire_db::{Clock, Db, FeedEpochs};

use crate::assets::Assets;
use crate::nav_item::NavItem;
use crate::public_url::PublicUrl;
use crate::shell::Shell;

/// The state of a site for its handlers. Cheap to clone. `State<Db>` extracts the [`Db`] alone, and
/// [`Live`](bellwire::Live) finds the [`Bellwire`] in it.
#[derive(Debug, Clone)]
pub struct SiteState {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    parts: SiteParts,
    own: Mutex<HashMap<TypeId, Arc<dyn Any + Send + Sync>>>,
}

/// The parts of a [`SiteState`].
#[derive(Debug)]
pub struct SiteParts {
    /// The site's name, for titles and the shell.
    pub name: String,
    /// The public URL.
    pub public_url: PublicUrl,
    /// The database.
    pub db: Db,
    /// Groups and sockets.
    pub bellwire: Bellwire,
    /// The epochs under which feeds were written.
    pub epochs: FeedEpochs,
    /// The clock for timeouts and expiry times.
    pub clock: Clock,
    /// The static files.
    pub assets: Assets,
    /// The document around each page.
    pub shell: Box<dyn Shell>,
    /// The site's own style sheets, as paths among the static files.
    pub theme: Vec<String>,
    /// The apps, in the order of the navigation.
    pub nav_items: Vec<NavItem>,
    /// The paths of sitemaps for search engines.
    pub sitemaps: Vec<&'static str>,
    /// Values by type, for [`SiteState::get`].
    pub values: Extensions,
}

impl SiteState {
    /// Creates the state from its parts.
    pub fn new(parts: SiteParts) -> Self {
        Self { inner: Arc::new(Inner { parts, own: Mutex::default() }) }
    }

    /// The site's name.
    pub fn name(&self) -> &str {
        &self.inner.parts.name
    }

    /// The public URL.
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

    /// The epochs under which feeds were written.
    pub fn epochs(&self) -> &FeedEpochs {
        &self.inner.parts.epochs
    }

    /// The path prefix of static files: `/static/<build>`.
    pub fn build(&self) -> &str {
        self.inner.parts.assets.base()
    }

    /// The clock for timeouts and expiry times.
    pub fn clock(&self) -> &Clock {
        &self.inner.parts.clock
    }

    /// The apps in the navigation, in its order.
    pub fn nav_items(&self) -> &[NavItem] {
        &self.inner.parts.nav_items
    }

    /// Returns a value that the site was built with, by its type.
    pub fn get<T: Send + Sync + 'static>(&self) -> Option<&T> {
        self.inner.parts.values.get()
    }

    /// Returns the in-memory value of this type for this site, which is created on first use. Apps
    /// use it for their own state.
    pub fn own<T: Default + Send + Sync + 'static>(&self) -> Arc<T> {
        self.own_or(T::default)
    }

    /// Returns the in-memory value of this type, which `make` creates on first use. `make` must not
    /// call this method: it would deadlock.
    pub fn own_or<T: Send + Sync + 'static>(&self, make: impl FnOnce() -> T) -> Arc<T> {
        let mut own = self.inner.own.lock().unwrap_or_else(PoisonError::into_inner);
        let value = own.entry(TypeId::of::<T>()).or_insert_with(|| Arc::new(make())).clone();
        value.downcast().unwrap_or_else(|_| unreachable!("stored by its type"))
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

impl FromRef<SiteState> for Bellwire {
    fn from_ref(site: &SiteState) -> Self {
        site.bellwire().clone()
    }
}
