//! `Site`: opens the database, builds the router and serves.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use bellwire::{Bellwire, InvalidOrigin, TrustedProxies, raise_file_limit};
use bellwire_db::{DatabaseUrl, Db, DbError, FeedEpochs, Migrations};
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

/// The time limit for closing the database at shutdown.
const LAST_WRITES: Duration = Duration::from_secs(2);

/// A site that is ready to serve: its address is bound and its database is open.
#[derive(Debug)]
pub struct Site {
    listener: TcpListener,
    address: SocketAddr,
    router: Router,
    state: SiteState,
    watch: Watch,
    background: Vec<Background>,
}

/// The reason why a site does not start. The text names the setting, the problem and its fix for
/// the operator.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A setting is invalid.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The address cannot be listened on.
    #[error("BELLWIRE_BIND={address}: cannot listen there: {cause}. {}", how_to_listen(.cause))]
    Bind {
        /// The address.
        address: SocketAddr,
        /// The cause.
        cause: io::Error,
    },
    /// The database cannot be opened or migrated.
    #[error("{setting}: {cause}")]
    Database {
        /// The setting, with its value but without any password.
        setting: String,
        /// The cause.
        cause: DbError,
    },
    /// The public address or one of the further origins is invalid.
    #[error("BELLWIRE_URL or BELLWIRE_ORIGINS is invalid")]
    Origin(#[from] InvalidOrigin),
}

fn how_to_listen(cause: &io::Error) -> &'static str {
    match cause.kind() {
        io::ErrorKind::AddrInUse => {
            "Another program listens there: stop it, or choose another port"
        }
        io::ErrorKind::PermissionDenied => "Choose a port from 1024 on, or allow Bellwire this one",
        io::ErrorKind::AddrNotAvailable => {
            "This machine does not have that address: choose one it has, or 0.0.0.0 for all"
        }
        _ => "Choose another address",
    }
}

/// The setting that selects the database, with its value.
fn database_setting(settings: &Settings) -> String {
    match settings.database == DatabaseUrl::sqlite_in(&settings.data) {
        true => format!("BELLWIRE_DATA={}", settings.data.display()),
        false => format!("DATABASE_URL={:?}", settings.database),
    }
}

impl Builder {
    /// Binds the address, opens the database, applies pending migrations, and builds the router.
    ///
    /// # Errors
    /// If a setting is invalid, the address is in use, or the database cannot be opened.
    pub async fn open(self) -> Result<Site, StartError> {
        raise_file_limit();
        let bind = self.settings.as_ref().map_err(Clone::clone)?.bind;
        let cannot = |cause| StartError::Bind { address: bind, cause };
        let listener = TcpListener::bind(bind).await.map_err(cannot)?;
        let address = listener.local_addr().map_err(cannot)?;
        let (state, rest) = open(self, address).await?;
        let watch = state.accounts().watch().await;
        let watch = watch.map_err(|cause| StartError::Database {
            setting: database_setting(state.settings()),
            cause,
        })?;
        let background = rest.background();
        let router = rest.router(&state);
        Ok(Site { listener, address, router, state, watch, background })
    }

    /// Returns the whole site as a router, for your own server or a test. The server must provide
    /// the peer's address, as `bellwire::serve` does.
    ///
    /// Background tasks are not started, and sockets stay open when sessions expire or end in
    /// another process: [`Site::run_until`] does both. To close those sockets, run
    /// [`Accounts::watch`] beside the server.
    ///
    /// # Errors
    /// If a setting is invalid, or the database cannot be opened.
    pub async fn into_router(self) -> Result<(Router, SiteState), StartError> {
        let address = self.settings.as_ref().map_err(Clone::clone)?.bind;
        let (state, rest) = open(self, address).await?;
        Ok((rest.router(&state), state))
    }
}

impl Site {
    /// Starts building a site with these settings, with a default name and without apps.
    pub fn builder(settings: impl Into<GivenSettings>) -> Builder {
        Builder::new(settings.into().0)
    }

    /// The address that the site listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The state of the site's handlers.
    pub fn state(&self) -> &SiteState {
        &self.state
    }

    /// Serves until `end` completes. Then stops accepting connections, closes every socket with
    /// 1012, waits for requests and background tasks, and closes the database.
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
                tracing::warn!("A background task did not end in time; stopping without it");
            }
        };
        let served = bellwire::serve(listener, router, state.bellwire()).limits(limits).until(end);
        tokio::join!(served, tasks_end);
        if tokio::time::timeout(LAST_WRITES, state.db().close()).await.is_err() {
            tracing::warn!("The database did not close in time; exiting without waiting");
        }
        tracing::info!("Stopped");
    }
}

/// Opens a site without serving it, for a command. Applies pending migrations.
pub(crate) async fn state_of(builder: Builder) -> Result<(SiteState, Vec<App>), StartError> {
    let address = builder.settings.as_ref().map_err(Clone::clone)?.bind;
    let (state, rest) = open(builder, address).await?;
    Ok((state, rest.apps))
}

/// The migrations of all tables: those of the database crate, of the accounts, and of the apps.
pub(crate) fn migrations(apps: &[App]) -> Vec<Migrations> {
    let own = [Migrations::of::<bellwire_db::Migrator>(), Migrations::of::<accounts::Migrator>()];
    own.into_iter().chain(apps.iter().flat_map(App::all::<Migrations>).copied()).collect()
}

/// The parts of a builder that remain after the state is built.
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
    let result = Db::open(&settings.database, &migrations(&apps)).await;
    let db = result
        .map_err(|cause| StartError::Database { setting: database_setting(&settings), cause })?;
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
    let nav_items = apps.iter().flat_map(App::all::<NavItem>).copied().collect();
    let sitemaps = apps.iter().flat_map(App::all::<Sitemap>).map(|sitemap| sitemap.0).collect();
    let parts = SiteParts {
        name,
        public_url,
        db,
        epochs: FeedEpochs::new(bellwire.layer().clone()),
        bellwire,
        clock,
        assets,
        shell,
        theme,
        nav_items,
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
    if settings.native_clients {
        bellwire = bellwire.native_clients();
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
