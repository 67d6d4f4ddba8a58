//! What an app brings to a site.

use std::future::ready;

use axum::Router;
use axum::middleware::map_response;
use axum::response::Response;
use bellwire_db::Migrations;
use rust_embed::RustEmbed;
use sea_orm_migration::MigratorTrait;

use crate::SiteState;
use crate::accounts::Person;
use crate::assets::Embedded;
use crate::seed::{Fill, Filling, Progress};

/// An app: its name, routes, tables, static files, and how the site speaks of it.
///
/// ```
/// use axum::Router;
/// use axum::routing::get;
/// use bellwire_site::{App, Card, SiteState};
///
/// fn routes(_site: &SiteState) -> Router<SiteState> {
///     Router::new().route("/hello/", get(async || "Hello!"))
/// }
///
/// let app = App::new("hello").routes(routes).card(Card { title: "Hello", path: "/hello/", about: "Says hello." });
/// # let _ = app;
/// ```
#[derive(Debug, Clone)]
pub struct App {
    pub(crate) name: &'static str,
    pub(crate) routes: Option<fn(&SiteState) -> Router<SiteState>>,
    pub(crate) migrations: Option<Migrations>,
    pub(crate) assets: Option<Embedded>,
    pub(crate) card: Option<Card>,
    pub(crate) sitemap: Option<&'static str>,
    pub(crate) seed: Option<Fill>,
}

/// How the navigation and the first page speak of an app.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Card {
    /// Its name for people.
    pub title: &'static str,
    /// Where it begins, such as `/chat/`.
    pub path: &'static str,
    /// What it is for, in a sentence.
    pub about: &'static str,
}

impl App {
    /// An app with nothing in it yet.
    pub fn new(name: &'static str) -> Self {
        Self { name, routes: None, migrations: None, assets: None, card: None, sitemap: None, seed: None }
    }

    /// Its paths, whole as the browser asks for them.
    #[must_use]
    pub fn routes(mut self, routes: fn(&SiteState) -> Router<SiteState>) -> Self {
        self.routes = Some(routes);
        self
    }

    /// Its tables. The migrator has a `migration_table_name` of its own.
    #[must_use]
    pub fn migrations<M: MigratorTrait + 'static>(mut self) -> Self {
        self.migrations = Some(Migrations::of::<M>());
        self
    }

    /// Its static files, such as `#[derive(RustEmbed)] #[folder = "static/chat"]`. They are served under the app's name:
    /// `/static/<build>/chat/chat.css`.
    #[must_use]
    pub fn assets<E: RustEmbed>(mut self) -> Self {
        self.assets = Some(Embedded::of::<E>());
        self
    }

    /// Its place in the navigation and on the first page. Every page that its routes answer with is marked as there, whatever its path.
    #[must_use]
    pub fn card(mut self, card: Card) -> Self {
        self.card = Some(card);
        self
    }

    /// The path of its map for search engines, such as `/sitemap.xml`, which is one of its routes. The site's `/robots.txt` names it.
    #[must_use]
    pub fn sitemap(mut self, path: &'static str) -> Self {
        self.sitemap = Some(path);
        self
    }

    /// The paths it answers, and with every answer whose place in the navigation that is.
    pub(crate) fn router(&self, site: &SiteState) -> Option<Router<SiteState>> {
        let (routes, card) = (self.routes?(site), self.card);
        let Some(card) = card else { return Some(routes) };
        Some(routes.layer(map_response(move |mut response: Response| {
            response.extensions_mut().insert(card);
            ready(response)
        })))
    }

    /// What fills it with something to see: believable data of these people, who exist nowhere. It runs beside a running site and as
    /// often as one likes, so it adds only what is missing.
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
    /// let app = App::new("hello").seed(|site, people, progress| Box::pin(fill(site, people, progress)));
    /// # let _ = app;
    /// ```
    #[must_use]
    pub fn seed(
        mut self,
        fill: for<'a> fn(&'a SiteState, &'a [Person], &'a mut Progress) -> Filling<'a>,
    ) -> Self {
        self.seed = Some(fill);
        self
    }
}
