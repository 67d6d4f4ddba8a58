//! What an app brings to a site.

use axum::Router;
use rust_embed::RustEmbed;
use sea_orm_migration::MigratorTrait;

use crate::SiteState;
use crate::assets::Embedded;
use crate::db::Migrations;

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
        Self { name, routes: None, migrations: None, assets: None, card: None }
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

    /// Its place in the navigation and on the first page.
    #[must_use]
    pub fn card(mut self, card: Card) -> Self {
        self.card = Some(card);
        self
    }
}
