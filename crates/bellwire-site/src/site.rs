//! Settings, database, framework and apps become one site.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use bellwire::{Bellwire, InvalidOrigin, TrustedProxies, raise_file_limit};
use bellwire_db::{DatabaseUrl, Db, DbError, Migrations};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::app::{App, Sitemap};
use crate::background::Background;
use crate::builder::{Builder, GivenSettings, Layers};
use crate::settings::SiteSettings;
use crate::{Clock, NavItem, PublicUrl, Settings, SettingsError, SiteState};
use bellwire_auth::{self as accounts, Accounts, SiteAccounts, Watch};
use bellwire_web::{Assets, Embedded};
use bellwire_web::{SiteParts, layers};

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
    background: Vec<Background>,
}

/// Why a site does not start, in words for the operator: the setting, what is wrong with it, and
/// what helps.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A setting is wrong.
    #[error(transparent)]
    Settings(#[from] SettingsError),
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
    Origin(#[from] InvalidOrigin),
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

impl Builder {
    /// Takes the address, opens the database, brings its tables up to date, and puts the apps
    /// together.
    ///
    /// # Errors
    /// If a setting is wrong, the address is taken, or the database cannot be opened.
    pub async fn open(self) -> Result<Site, StartError> {
        raise_file_limit();
        let bind = self.settings.as_ref().map_err(Clone::clone)?.bind;
        let cannot = |cause| StartError::Bind { address: bind, cause };
        let listener = TcpListener::bind(bind).await.map_err(cannot)?;
        let address = listener.local_addr().map_err(cannot)?;
        let (state, rest) = open(self, address).await?;
        let begun = state.accounts().watch().await;
        let watch = begun.map_err(|cause| StartError::Database {
            setting: where_from(state.settings()),
            cause,
        })?;
        let background = rest.background();
        let router = rest.router(&state);
        Ok(Site { listener, address, router, state, watch, background })
    }

    /// The whole site as a router, for a server or a test of one's own. Whoever serves it passes
    /// the peer's address on, as `bellwire::serve` does.
    ///
    /// The background tasks are not started, and sockets outlive sessions that expire or that
    /// another process ends: both belong to [`Site::run_until`]. With accounts alone, run
    /// [`Accounts::watch`] beside the server.
    ///
    /// # Errors
    /// If a setting is wrong, or the database cannot be opened.
    pub async fn into_router(self) -> Result<(Router, SiteState), StartError> {
        let address = self.settings.as_ref().map_err(Clone::clone)?.bind;
        let (state, rest) = open(self, address).await?;
        Ok((rest.router(&state), state))
    }
}

impl Site {
    /// A site with these settings, without a name of its own and without apps.
    pub fn builder(settings: impl Into<GivenSettings>) -> Builder {
        Builder::new(settings.into().0)
    }

    /// The address it listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What its handlers see.
    pub fn state(&self) -> &SiteState {
        &self.state
    }

    /// Serves until `end`; then stops accepting, closes every socket with 1012, lets requests and
    /// background tasks finish, and closes the database.
    pub async fn run_until(self, end: impl Future<Output = ()>) {
        let Self { listener, router, state, watch, background, .. } = self;
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        background.iter().for_each(|task| task.start(&state, &stop, &tasks));
        tasks.close();
        let end = async {
            tokio::select! {
                () = watch.run() => {}
                () = end => {}
            }
            stop.cancel();
        };
        let limits = state.settings().serve;
        let tasks_end = async {
            stop.cancelled().await;
            if tokio::time::timeout(limits.shutdown, tasks.wait()).await.is_err() {
                tracing::warn!("A background task did not end in time");
            }
        };
        let served = bellwire::serve(listener, router, state.bellwire()).limits(limits).until(end);
        tokio::join!(served, tasks_end);
        if tokio::time::timeout(LAST_WRITES, state.db().close()).await.is_err() {
            tracing::warn!("The database did not close in time");
        }
        tracing::info!("Stopped");
    }
}

/// A site that does not serve, for a command beside a running one. The tables are brought up to
/// date.
pub(crate) async fn state_of(builder: Builder) -> Result<(SiteState, Vec<App>), StartError> {
    let address = builder.settings.as_ref().map_err(Clone::clone)?.bind;
    let (state, rest) = open(builder, address).await?;
    Ok((state, rest.apps))
}

/// The histories of all tables, those of the accounts first.
pub(crate) fn migrations(apps: &[App]) -> Vec<Migrations> {
    let own = Migrations::of::<accounts::Migrator>();
    [own].into_iter().chain(apps.iter().flat_map(App::all::<Migrations>).copied()).collect()
}

/// What is left of a builder when the state is made.
struct Rest {
    apps: Vec<App>,
    layers: Layers,
    background: Vec<Background>,
}

async fn open(builder: Builder, address: SocketAddr) -> Result<(SiteState, Rest), StartError> {
    let Builder {
        settings, name, apps, shell, theme, layers, policy, mut values, background, ..
    } = builder;
    let settings = settings?;
    let opened = Db::open(&settings.database, &migrations(&apps)).await;
    let db =
        opened.map_err(|cause| StartError::Database { setting: where_from(&settings), cause })?;
    let public_url = PublicUrl::new(settings.url.as_ref(), address);
    let bellwire = framework(&settings, &public_url)?;
    let clock = Clock::default();
    let secure = public_url.is_https();
    let accounts = Accounts::new(
        db.clone(),
        bellwire.clone(),
        settings.sign_up,
        secure,
        clock.clone(),
        name.clone(),
    );
    values.insert(accounts.links());
    values.insert(accounts);
    values.insert(policy);
    let assets =
        apps.iter().flat_map(|app| app.all::<Embedded>().map(|embedded| (app.name(), *embedded)));
    let assets = Assets::new(assets, settings.assets.clone());
    values.insert(Arc::new(settings));
    let cards = apps.iter().flat_map(App::all::<NavItem>).copied().collect();
    let sitemaps = apps.iter().flat_map(App::all::<Sitemap>).map(|sitemap| sitemap.0).collect();
    let parts = SiteParts {
        name,
        public_url,
        db,
        bellwire,
        clock,
        assets,
        shell,
        theme,
        cards,
        sitemaps,
        values,
    };
    Ok((SiteState::new(parts), Rest { apps, layers, background }))
}

fn framework(settings: &Settings, public_url: &PublicUrl) -> Result<Bellwire, InvalidOrigin> {
    let mut bellwire = Bellwire::builder(public_url.as_str())
        .limits(settings.limits)
        .origin_setting("BELLWIRE_URL and BELLWIRE_ORIGINS");
    for origin in public_url.origins().skip(1).chain(settings.origins.iter().cloned()) {
        bellwire = bellwire.origin(origin);
    }
    bellwire.build()
}

impl Rest {
    fn background(&self) -> Vec<Background> {
        let own = self.background.iter();
        own.chain(self.apps.iter().flat_map(App::all::<Background>)).cloned().collect()
    }

    fn router(self, site: &SiteState) -> Router {
        let apps = self.apps.iter().map(|app| app.router_for(site));
        let pages = apps.fold(accounts::routes(), Router::merge);
        let pages = layers::around_pages(pages)
            .layer(from_fn_with_state(site.accounts().clone(), accounts::remember));
        let settings = site.settings();
        let proxies = TrustedProxies::new(settings.trusted_proxies.iter().copied());
        let router = layers::around_site(pages, site, proxies, settings.request);
        self.layers.around(router).layer(from_fn(layers::log_request))
    }
}
