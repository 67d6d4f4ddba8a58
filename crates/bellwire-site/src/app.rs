//! `App`: a registry of the parts that an app adds to a site.

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
use crate::seed::{Progress, SeedFn, SeedFuture, SeedOptions};
use crate::{NavItem, SiteState};
use bellwire_auth::Person;
use bellwire_web::Embedded;

/// An app: a name, and the parts it adds to a site, in an open registry keyed by type.
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
/// The methods below register the parts that every site supports. Another crate can register its
/// own type with [`App::with`] and read it with [`App::all`].
pub struct App {
    name: &'static str,
    parts: HashMap<TypeId, Vec<Box<dyn Any + Send + Sync>>>,
}

/// The routes of an app, built together with its site.
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

/// The path of an app's sitemap.
pub(crate) struct Sitemap(pub(crate) &'static str);

impl App {
    /// An empty app. Its static files are served under `name`.
    pub fn new(name: &'static str) -> Self {
        Self { name, parts: HashMap::new() }
    }

    /// The app's name.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Registers a value of any type, to be found by that type with [`App::all`].
    #[must_use]
    pub fn with<T: Send + Sync + 'static>(mut self, part: T) -> Self {
        self.parts.entry(TypeId::of::<T>()).or_default().push(Box::new(part));
        self
    }

    /// The registered values of a type, in registration order.
    pub fn all<T: 'static>(&self) -> impl Iterator<Item = &T> {
        let parts = self.parts.get(&TypeId::of::<T>()).into_iter().flatten();
        parts.filter_map(|part| part.downcast_ref())
    }

    /// Adds routes. Their paths are absolute, as browsers request them.
    #[must_use]
    pub fn router(self, router: Router<SiteState>) -> Self {
        self.routes(move |_| router.clone())
    }

    /// Adds routes from a closure that builds them for a site. Handlers can use values that the
    /// closure captures.
    #[must_use]
    pub fn routes(
        self,
        routes: impl Fn(&SiteState) -> Router<SiteState> + Send + Sync + 'static,
    ) -> Self {
        self.with(Routes(Arc::new(routes)))
    }

    /// Adds the migrations of the app's tables. The migrator must have its own
    /// `migration_table_name`.
    #[must_use]
    pub fn migrations<M: MigratorTrait + 'static>(self) -> Self {
        self.with(Migrations::of::<M>())
    }

    /// Adds static files, such as `#[derive(RustEmbed)] #[folder = "static/chat"]`. They are served
    /// under the app's name: `/static/<build>/chat/chat.css`.
    #[must_use]
    pub fn assets<E: RustEmbed>(self) -> Self {
        self.with(Embedded::of::<E>())
    }

    /// Adds an item to the navigation and the front page. It is marked as current on every page
    /// that the app's routes return, whatever the path.
    #[must_use]
    pub fn nav_item(self, item: NavItem) -> Self {
        self.with(item)
    }

    /// Names the path of the app's sitemap, such as `/sitemap.xml`, which one of its routes serves.
    /// The site's `/robots.txt` lists it.
    #[must_use]
    pub fn sitemap(self, path: &'static str) -> Self {
        self.with(Sitemap(path))
    }

    /// Adds a task that runs while the site serves: see
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

    /// Adds a command-line command: see [`Builder::command`](crate::Builder::command).
    #[must_use]
    pub fn command(self, command: Command) -> Self {
        self.with(command)
    }

    /// Registers a function that adds demo data of these people, for `bellwire seed`. It may run
    /// while the site is running and any number of times, so it must add only missing data.
    ///
    /// ```
    /// use bellwire_site::seed::Progress;
    /// use bellwire_site::{App, Person, SiteError, SiteState};
    ///
    /// async fn fill(
    ///     _site: &SiteState,
    ///     people: &[Person],
    ///     progress: &mut Progress,
    /// ) -> Result<(), SiteError> {
    ///     progress.done(format_args!("hello: {} greetings", people.len()));
    ///     Ok(())
    /// }
    ///
    /// let app = App::new("hello")
    ///     .seed(|site, people, progress, _options| Box::pin(fill(site, people, progress)));
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
        ) -> SeedFuture<'a>,
    ) -> Self {
        self.with::<SeedFn>(fill)
    }

    /// Adds command-line options for `bellwire seed`, as a clap argument group.
    #[must_use]
    pub fn seed_options<A: clap::Args>(self) -> Self {
        self.with(crate::seed::OptionGroup(A::augment_args))
    }

    /// The app's routes for a site. Each response carries the app's navigation item.
    pub(crate) fn router_for(&self, site: &SiteState) -> Router<SiteState> {
        let routes = self.all::<Routes>().map(|routes| routes.router(site));
        let routes = routes.fold(Router::new(), Router::merge);
        let Some(&nav_item) = self.all::<NavItem>().next() else { return routes };
        if !self.has_routes() {
            return routes;
        }
        routes.layer(map_response(move |mut response: Response| {
            response.extensions_mut().insert(nav_item);
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
