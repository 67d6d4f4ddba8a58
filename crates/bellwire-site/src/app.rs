//! An app, as it is put into a site.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::fmt;
use std::future::ready;
use std::sync::Arc;

use axum::Router;
use axum::middleware::map_response;
use axum::response::Response;
use bellwire_db::Migrations;
use rust_embed::RustEmbed;
use sea_orm_migration::MigratorTrait;
use tokio_util::sync::CancellationToken;

use crate::background::Background;
use crate::command::Command;
use crate::seed::{Fill, Filling, Progress, SeedOptions};
use crate::{NavItem, SiteState};
use bellwire_auth::Person;
use bellwire_web::Embedded;

/// An app: a name, and everything it brings to a site, in an open registry keyed by type.
///
/// ```
/// use axum::Router;
/// use axum::routing::get;
/// use bellwire_site::{App, NavItem};
///
/// let app = App::new("hello")
///     .router(Router::new().route("/hello/", get(async || "Hello!")))
///     .nav_item(NavItem { title: "Hello", path: "/hello/", about: "Says hello." });
/// assert_eq!(app.name(), "hello");
/// ```
///
/// The methods below register what every site knows. Another crate registers a type of its own by
/// [`App::with`] and finds it again by [`App::all`].
pub struct App {
    name: &'static str,
    parts: HashMap<TypeId, Vec<Box<dyn Any + Send + Sync>>>,
}

/// The routes of an app, made when its site is.
#[derive(Clone)]
pub(crate) struct Routes(Arc<MakeRoutes>);

type MakeRoutes = dyn Fn(&SiteState) -> Router<SiteState> + Send + Sync;

impl fmt::Debug for Routes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Routes").finish_non_exhaustive()
    }
}

impl Routes {
    fn router(&self, site: &SiteState) -> Router<SiteState> {
        (self.0)(site)
    }
}

/// The path of an app's map for search engines.
pub(crate) struct Sitemap(pub(crate) &'static str);

impl App {
    /// An app with nothing in it yet. Static files are served under its name.
    pub fn new(name: &'static str) -> Self {
        Self { name, parts: HashMap::new() }
    }

    /// Its name.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Registers a value of any type, for whoever asks for that type.
    #[must_use]
    pub fn with<T: Send + Sync + 'static>(mut self, part: T) -> Self {
        self.parts.entry(TypeId::of::<T>()).or_default().push(Box::new(part));
        self
    }

    /// The registered values of a type, in the order in which they were registered.
    pub fn all<T: 'static>(&self) -> impl Iterator<Item = &T> {
        let parts = self.parts.get(&TypeId::of::<T>()).into_iter().flatten();
        parts.filter_map(|part| part.downcast_ref())
    }

    /// Its paths, whole as browsers ask for them.
    #[must_use]
    pub fn router(self, router: Router<SiteState>) -> Self {
        self.routes(move |_| router.clone())
    }

    /// Its paths, from a closure or function that makes them for a site: its handlers may keep what
    /// the closure captures.
    #[must_use]
    pub fn routes(
        self,
        routes: impl Fn(&SiteState) -> Router<SiteState> + Send + Sync + 'static,
    ) -> Self {
        self.with(Routes(Arc::new(routes)))
    }

    /// Its tables. The migrator has a `migration_table_name` of its own.
    #[must_use]
    pub fn migrations<M: MigratorTrait + 'static>(self) -> Self {
        self.with(Migrations::of::<M>())
    }

    /// Its static files, such as `#[derive(RustEmbed)] #[folder = "static/chat"]`. They are served
    /// under the app's name: `/static/<build>/chat/chat.css`.
    #[must_use]
    pub fn assets<E: RustEmbed>(self) -> Self {
        self.with(Embedded::of::<E>())
    }

    /// Its place in the navigation and on the front page. Every page that its routes answer with is
    /// marked as the current one there, whatever its path.
    #[must_use]
    pub fn nav_item(self, card: NavItem) -> Self {
        self.with(card)
    }

    /// The path of its map for search engines, such as `/sitemap.xml`, which is one of its routes.
    /// The site's `/robots.txt` names it.
    #[must_use]
    pub fn sitemap(self, path: &'static str) -> Self {
        self.with(Sitemap(path))
    }

    /// A task that runs as long as the site serves: see
    /// [`Builder::background`](crate::Builder::background).
    #[must_use]
    pub fn background<F>(
        self,
        name: &'static str,
        task: impl Fn(SiteState, CancellationToken) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.with(Background::new(name, task))
    }

    /// A command of the program: see [`Builder::command`](crate::Builder::command).
    #[must_use]
    pub fn command(self, command: Command) -> Self {
        self.with(command)
    }

    /// Fills the app with believable data of these people, for `bellwire seed`. It runs beside a
    /// running site and any number of times, so it adds only what is missing.
    ///
    /// ```
    /// use bellwire_site::seed::Progress;
    /// use bellwire_site::{App, Person, SiteError, SiteState};
    ///
    /// async fn fill(_site: &SiteState, people: &[Person], progress: &mut Progress) -> Result<(), SiteError> {
    ///     progress.done(format_args!("hello: {} greetings", people.len()));
    ///     Ok(())
    /// }
    ///
    /// let app = App::new("hello").seed(|site, people, progress, _options| Box::pin(fill(site, people, progress)));
    /// # let _ = app;
    /// ```
    #[must_use]
    pub fn seed(
        self,
        fill: for<'a> fn(
            &'a SiteState,
            &'a [Person],
            &'a mut Progress,
            &'a SeedOptions,
        ) -> Filling<'a>,
    ) -> Self {
        self.with::<Fill>(fill)
    }

    /// Options of its own for `bellwire seed`, as a group of clap's.
    #[must_use]
    pub fn seed_options<A: clap::Args>(self) -> Self {
        self.with(crate::seed::OptionGroup(A::augment_args))
    }

    /// Its routes for a site. Each response carries the app's place in the navigation.
    pub(crate) fn router_for(&self, site: &SiteState) -> Router<SiteState> {
        let routes = self.all::<Routes>().map(|routes| routes.router(site));
        let routes = routes.fold(Router::new(), Router::merge);
        let Some(&card) = self.all::<NavItem>().next() else { return routes };
        if !self.has_routes() {
            return routes;
        }
        routes.layer(map_response(move |mut response: Response| {
            response.extensions_mut().insert(card);
            ready(response)
        }))
    }

    fn has_routes(&self) -> bool {
        self.all::<Routes>().next().is_some()
    }
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("App").field("name", &self.name).finish_non_exhaustive()
    }
}
