//! Runs a whole site in a test: a free port, a data folder or a database of its own, and browsers to visit it with.
//!
//! Everything here panics when it does not go as a test may expect.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use axum::http::HeaderMap;
use axum::http::header::COOKIE;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

mod browser;
mod database;
mod log;
pub mod markup;
mod window;

pub use browser::{Answer, Client};
pub use database::{TestDatabase, databases};
pub use log::Log;
pub use window::{Ending, Window};

use crate::{App, Settings, Site, SiteState, User};

/// How long anything a test waits for may take. Only a broken test waits so long.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// Waits for `what`. However much else happens meanwhile, the wait has an end.
///
/// # Panics
/// When it does not come within [`PATIENCE`].
pub async fn within<T>(what: &str, wait: impl Future<Output = T>) -> T {
    let Ok(value) = tokio::time::timeout(PATIENCE, wait).await else {
        panic!("waited {PATIENCE:?} for {what}");
    };
    value
}

/// The password of everybody in tests.
pub const PASSWORD: &str = "a bell for every test";

/// A site that runs beside the test.
#[derive(Debug)]
pub struct TestSite {
    address: SocketAddr,
    state: SiteState,
    end: oneshot::Sender<()>,
    served: JoinHandle<()>,
    home: database::Home,
}

impl TestSite {
    /// Starts a site with default settings, nothing in its database, and these apps.
    pub async fn start(database: &TestDatabase, apps: Vec<App>) -> Self {
        Self::start_with(database, apps, |_| {}).await
    }

    /// The same, with other settings.
    pub async fn start_with(
        database: &TestDatabase,
        apps: Vec<App>,
        change: impl FnOnce(&mut Settings),
    ) -> Self {
        let home = database::Home::make(database).await;
        Self::start_in(home, apps, change).await
    }

    /// Starts another site on the data of this one, as a second process would. Stop it before this one.
    pub async fn beside(&self, apps: Vec<App>) -> Self {
        Self::start_in(self.home.lend(), apps, |_| {}).await
    }

    async fn start_in(home: database::Home, apps: Vec<App>, change: impl FnOnce(&mut Settings)) -> Self {
        let bind = SocketAddr::from(([127, 0, 0, 1], 0));
        let data: PathBuf = home.folder().to_owned();
        let mut settings = Settings { bind, data, database: home.url(), ..Settings::default() };
        change(&mut settings);
        let site = Site::open(settings, apps).await.expect("the site should start");
        let (address, state) = (site.address(), site.state().clone());
        let (end, ended) = oneshot::channel();
        let served = tokio::spawn(site.run_until(async {
            let _ = ended.await;
        }));
        Self { address, state, end, served, home }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The whole address of a path.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.state.public_url().as_str())
    }

    /// What its handlers see: the database, the framework, the clock.
    pub fn state(&self) -> &SiteState {
        &self.state
    }

    /// A browser that was never here.
    pub fn client(&self) -> Client {
        Client::new(self.address, self.state.public_url().as_str())
    }

    /// A browser in which somebody new is signed in. Goes past the form and its limits.
    pub async fn person(&self, name: &str) -> Client {
        let cookie = self.state.accounts().for_test(name).await.expect("the account should be made");
        let mut client = self.client();
        client.take_cookie(&cookie);
        client
    }

    /// Who is signed in in this browser: what the `User` extractor would find.
    pub async fn user(&self, client: &Client) -> User {
        let headers = HeaderMap::from_iter([(COOKIE, client.cookies().parse().expect("a header"))]);
        self.state
            .accounts()
            .user_of(&headers)
            .await
            .expect("the database")
            .expect("somebody should be signed in")
    }

    /// Stops it and starts it again on the same data and port.
    pub async fn restart(self, apps: Vec<App>) -> Self {
        let Self { address, end, served, home, .. } = self;
        drop(end);
        within("the site's end", served).await.expect("the site should stop");
        Self::start_in(home, apps, |settings| settings.bind = address).await
    }

    /// Stops it as SIGTERM does, and removes its data.
    pub async fn stop(self) {
        drop(self.end);
        within("the site's end", self.served).await.expect("the site should stop");
        self.home.remove().await;
    }
}
