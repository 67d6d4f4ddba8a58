//! A whole site in a test: a free port, and a data folder or a database of its own.

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

/// A site that runs beside the test.
#[derive(Debug)]
pub struct TestSite {
    address: SocketAddr,
    state: SiteState,
    end: oneshot::Sender<()>,
    served: JoinHandle<()>,
    home: Home,
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
        let home = Home::new(database, "test");
        template::fill(&home, database, &apps).await;
        Self::start_in(home, apps, change).await
    }

    /// Starts another site on the data of this one, as a second process would. Stop it before this
    /// one.
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

    /// A browser in which a new person with [`PASSWORD`](crate::PASSWORD) is signed in.
    pub async fn person(&self, name: &str) -> Client {
        people::make(&self.state, name).await;
        let mut client = self.client();
        people::sign_in(&mut client, name).await;
        client
    }

    /// Who is signed in in this browser: what the `User` extractor would find.
    pub async fn user(&self, client: &Client) -> User {
        people::who_is(&self.state, client).await
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

impl Client {
    /// The same browser, with its cookies, at another site on the same data.
    #[must_use]
    pub fn at(&self, site: &TestSite) -> Self {
        self.moved_to(site.address, site.state.public_url().as_str())
    }
}
