//! A complete site in a test: a free port, and a separate data folder or database.

use std::net::SocketAddr;
use std::path::PathBuf;

use bellwire_site::{App, Settings, Site, SiteState, User};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::browser::Client;
use crate::database::TestDatabase;
use crate::home::Home;
use crate::people;
use crate::template;
use crate::waiting::within;

/// A site that runs during a test.
#[derive(Debug)]
pub struct TestSite {
    address: SocketAddr,
    state: SiteState,
    stop: oneshot::Sender<()>,
    served: JoinHandle<()>,
    home: Home,
}

impl TestSite {
    /// Starts a site with these apps, default settings and an empty database.
    pub async fn start(database: &TestDatabase, apps: Vec<App>) -> Self {
        Self::start_with(database, apps, |_| {}).await
    }

    /// Starts a site as [`TestSite::start`] does, with changed settings.
    pub async fn start_with(
        database: &TestDatabase,
        apps: Vec<App>,
        change: impl FnOnce(&mut Settings),
    ) -> Self {
        let home = Home::new(database, "test");
        template::fill(&home, database, &apps).await;
        Self::start_in(home, apps, change).await
    }

    /// Starts another site on the same data, like a second process. Stop it before this one.
    pub async fn beside(&self, apps: Vec<App>) -> Self {
        Self::start_in(self.home.lend(), apps, |_| {}).await
    }

    async fn start_in(home: Home, mut apps: Vec<App>, change: impl FnOnce(&mut Settings)) -> Self {
        apps.push(people::app());
        let bind = SocketAddr::from(([127, 0, 0, 1], 0));
        let data: PathBuf = home.folder().to_owned();
        let mut settings = Settings { bind, data, database: home.url(), ..Settings::default() };
        change(&mut settings);
        let site = Site::builder(settings)
            .name("Bellwire")
            .apps(apps)
            .open()
            .await
            .expect("the site should start");
        let (address, state) = (site.address(), site.state().clone());
        let (stop, stopped) = oneshot::channel();
        let served = tokio::spawn(site.run_until(async {
            let _ = stopped.await;
        }));
        Self { address, state, stop, served, home }
    }

    /// The address on which the site listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the absolute URL of a path.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.state.public_url().as_str())
    }

    /// The state of the site: the database, the framework, the clock.
    pub fn state(&self) -> &SiteState {
        &self.state
    }

    /// Creates a client without cookies.
    pub fn client(&self) -> Client {
        Client::new(self.address, self.state.public_url().as_str())
    }

    /// Creates an account with [`PASSWORD`](crate::PASSWORD) and returns a signed-in client.
    pub async fn person(&self, name: &str) -> Client {
        people::make(&self.state, name).await;
        let mut client = self.client();
        people::sign_in(&mut client, name).await;
        client
    }

    /// Returns the person who is signed in with this client, as the extractor [`User`] finds them.
    pub async fn user(&self, client: &Client) -> User {
        people::signed_in(&self.state, client).await
    }

    /// Stops the site and starts it again on the same data and port.
    pub async fn restart(self, apps: Vec<App>) -> Self {
        let Self { address, stop, served, home, .. } = self;
        drop(stop);
        within("the site's end", served).await.expect("the site should stop");
        Self::start_in(home, apps, |settings| settings.bind = address).await
    }

    /// Stops the site as SIGTERM does, and removes its data.
    pub async fn stop(self) {
        drop(self.stop);
        within("the site's end", self.served).await.expect("the site should stop");
        self.home.remove().await;
    }
}

impl Client {
    /// Returns the same browser, with its cookies, for another site on the same data.
    #[must_use]
    pub fn at(&self, site: &TestSite) -> Self {
        self.moved_to(site.address, site.state.public_url().as_str())
    }
}
