//! Settings, database, framework and apps become one site.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use bellwire::{BadOrigin, Bellwire, TrustedProxies, client_address, raise_file_limit};
use bellwire_db::{DatabaseUrl, Db, DbError, Migrations};
use tokio::net::TcpListener;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::timeout::TimeoutLayer;

use crate::accounts::{self, Accounts, Watch};
use crate::app::App;
use crate::assets::Assets;
use crate::home::{self, Bell};
use crate::settings::PublicUrl;
use crate::state::Inner;
use crate::visits::{self, Visits};
use crate::{Clock, Settings, SiteError, SiteState, forgery, headers, log, page, robots};

/// The longest body of a request, where a route does not say otherwise. A longer one is refused with 413.
pub(crate) const BODY: usize = 256 * 1024;

/// The time for the last writes at a stop.
const LAST_WRITES: Duration = Duration::from_secs(2);

/// A site that is ready to serve.
#[derive(Debug)]
pub struct Site {
    listener: TcpListener,
    address: SocketAddr,
    router: Router,
    state: SiteState,
    watch: Watch,
}

/// Why a site does not start, in words for the operator: the setting, what is wrong with it, and what helps.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address to listen on is not to be had.
    #[error("BELLWIRE_BIND={address}: cannot listen there: {cause}. {}", how_to_listen(.cause))]
    Bind {
        /// Which one.
        address: SocketAddr,
        /// Why.
        cause: io::Error,
    },
    /// The database cannot be opened or brought up to date.
    #[error("{setting}: {cause}")]
    Database {
        /// The setting it comes from, and its value without any password.
        setting: String,
        /// Why.
        cause: DbError,
    },
    /// The public address or a further origin is none.
    #[error("BELLWIRE_URL or BELLWIRE_ORIGINS is wrong")]
    Origin(#[from] BadOrigin),
}

fn how_to_listen(cause: &io::Error) -> &'static str {
    match cause.kind() {
        io::ErrorKind::AddrInUse => "Another program listens there: end it, or choose another port",
        io::ErrorKind::PermissionDenied => "Choose a port from 1024 on, or allow Bellwire this one",
        io::ErrorKind::AddrNotAvailable => {
            "This machine does not have that address: choose one it has, or 0.0.0.0 for all"
        }
        _ => "Choose another address",
    }
}

/// The setting that leads to the database.
fn where_from(settings: &Settings) -> String {
    match settings.database == DatabaseUrl::sqlite_in(&settings.data) {
        true => format!("BELLWIRE_DATA={}", settings.data.display()),
        false => format!("DATABASE_URL={:?}", settings.database),
    }
}

impl Site {
    /// Takes the address, opens the database, brings its tables up to date, and puts the apps together.
    ///
    /// # Errors
    /// When the address is taken, or the database cannot be opened.
    pub async fn open(settings: Settings, apps: Vec<App>) -> Result<Self, StartError> {
        raise_file_limit();
        let cannot = |cause| StartError::Bind { address: settings.bind, cause };
        let listener = TcpListener::bind(settings.bind).await.map_err(cannot)?;
        let address = listener.local_addr().map_err(cannot)?;
        let state = open(settings, address, &apps).await?;
        let router = router(&state, &apps);
        let begun = Watch::begin(state.accounts()).await;
        let setting = || where_from(state.settings());
        let watch = begun.map_err(|cause| StartError::Database { setting: setting(), cause })?;
        Ok(Self { listener, address, router, state, watch })
    }

    /// The address it listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What its handlers see.
    pub fn state(&self) -> &SiteState {
        &self.state
    }

    /// Serves until `end`; then stops accepting, closes every socket with 1012, lets requests finish, and closes the database.
    pub async fn run_until(self, end: impl Future<Output = ()>) {
        let Self { listener, router, state, watch, .. } = self;
        let end = async {
            tokio::select! {
                () = watch.run() => {}
                () = end => {}
            }
        };
        bellwire::serve(listener, router, state.bellwire()).limits(state.settings().serve).until(end).await;
        if tokio::time::timeout(LAST_WRITES, state.db().close()).await.is_err() {
            tracing::warn!("The database did not close in time");
        }
        tracing::info!("Stopped");
    }
}

impl SiteState {
    /// Opens a site without its door: for what the operator does beside a running one. The tables are brought up to date.
    ///
    /// # Errors
    /// When the database cannot be opened.
    pub async fn open(settings: Settings, apps: &[App]) -> Result<Self, StartError> {
        let address = settings.bind;
        open(settings, address, apps).await
    }
}

/// The histories of all tables, those of the site first.
pub(crate) fn migrations(apps: &[App]) -> Vec<Migrations> {
    let own = [Migrations::of::<accounts::Migrator>(), Migrations::of::<visits::Migrator>()];
    own.into_iter().chain(apps.iter().filter_map(|app| app.migrations)).collect()
}

async fn open(settings: Settings, address: SocketAddr, apps: &[App]) -> Result<SiteState, StartError> {
    let opened = Db::open(&settings.database, &migrations(apps)).await;
    let db = opened.map_err(|cause| StartError::Database { setting: where_from(&settings), cause })?;
    Ok(state(settings, address, db, apps)?)
}

fn state(settings: Settings, address: SocketAddr, db: Db, apps: &[App]) -> Result<SiteState, BadOrigin> {
    let public_url = PublicUrl::of(&settings, address);
    let mut bellwire = Bellwire::builder(public_url.as_str())
        .limits(settings.limits)
        .origin_setting("BELLWIRE_URL and BELLWIRE_ORIGINS");
    for origin in public_url.origins().skip(1).chain(settings.origins.iter().cloned()) {
        bellwire = bellwire.origin(origin);
    }
    let bellwire = bellwire.build()?;
    let clock = Clock::default();
    let accounts =
        Accounts::new(db.clone(), bellwire.clone(), settings.sign_up, public_url.is_https(), clock.clone());
    let visits = Visits::new(db.clone(), bellwire.clone(), public_url.is_https(), clock.clone());
    let assets =
        Assets::new(apps.iter().filter_map(|app| Some((app.name, app.assets?))), settings.assets.clone());
    let cards = apps.iter().filter_map(|app| app.card).collect();
    let sitemaps = apps.iter().filter_map(|app| app.sitemap).collect();
    let bell = Bell::new(&bellwire, clock.clone());
    let own = Default::default();
    let inner = Inner {
        settings,
        public_url,
        db,
        bellwire,
        accounts,
        visits,
        assets,
        cards,
        sitemaps,
        bell,
        clock,
        own,
    };
    Ok(SiteState { inner: Arc::new(inner) })
}

/// Layers from the inside out: what is written last sees a request first.
fn router(site: &SiteState, apps: &[App]) -> Router {
    let mut pages = Router::new().merge(home::routes()).merge(robots::routes()).merge(accounts::routes());
    for routes in apps.iter().filter_map(|app| app.router(site)) {
        pages = pages.merge(routes);
    }
    let proxies = TrustedProxies::new(site.settings().trusted_proxies.iter().copied());
    pages
        .fallback(nothing_here)
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn(page::keep_what_was_typed))
        .layer(from_fn_with_state(site.clone(), accounts::remember))
        .layer(from_fn_with_state(site.clone(), visits::remember))
        .route("/static/{build}/{*path}", get(asset))
        .layer(DefaultBodyLimit::max(BODY))
        .layer(TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, site.settings().request))
        .layer(from_fn_with_state(site.clone(), forgery::check))
        .layer(from_fn_with_state(proxies, client_address))
        .layer(from_fn_with_state(site.clone(), page::finish))
        .layer(from_fn_with_state(site.clone(), headers::add))
        .layer(from_fn(log::request))
        .with_state(site.clone())
}

async fn nothing_here() -> SiteError {
    SiteError::NotFound
}

async fn asset(
    State(site): State<SiteState>,
    Path((build, path)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    site.assets().get(&build, &path, &headers)
}

fn panicked(panic: Box<dyn std::any::Any + Send>) -> Response {
    let what = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let what = what.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
    SiteError::internal(format!("a handler panicked: {what}")).into_response()
}
