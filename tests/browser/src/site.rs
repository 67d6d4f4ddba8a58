use std::sync::Arc;

use crate::chromium::{Chromium, ContextOptions};
use crate::person::Person;
use crate::proxy::Proxy;
use crate::server::Server;

/// A site with an empty database, and the browsers of its visitors. Declare it before the people,
/// because they must be dropped first.
#[derive(Debug)]
pub struct Site {
    /// The server process, which stories may kill and restart.
    pub server: Server,
    chromium: Arc<Chromium>,
}

impl Site {
    /// Starts a server with an empty database, and the shared browser.
    pub async fn open() -> Self {
        Self::open_with(&[]).await
    }

    /// The same as [`Site::open`], with settings for the server, for example
    /// `("BELLWIRE_SIGNUP", "closed")`.
    pub async fn open_with(settings: &[(&str, &str)]) -> Self {
        let (server, chromium) = tokio::join!(Server::start(settings), Chromium::shared());
        Self { server, chromium }
    }

    /// The same as [`Site::open`], in a browser with a back-forward cache, which the headless shell
    /// does not have.
    pub async fn open_in_full_browser() -> Self {
        let (server, chromium) = tokio::join!(Server::start(&[]), Chromium::full());
        Self { server, chromium: Arc::new(chromium) }
    }

    /// Adds a person with a new browser context, without cookies and cache.
    pub async fn person(&self, name: &str) -> Person {
        self.add_person(name, ContextOptions::default()).await
    }

    /// Adds a person whose browser runs no scripts.
    pub async fn person_without_javascript(&self, name: &str) -> Person {
        self.add_person(
            name,
            ContextOptions { without_javascript: true, ..ContextOptions::default() },
        )
        .await
    }

    /// Adds a person with a separate browser process, which can crash.
    pub async fn person_with_own_browser(&self, name: &str) -> Person {
        let chromium = Arc::new(Chromium::full().await);
        Person::open(name, &self.server.url(""), chromium, ContextOptions::default()).await
    }

    /// Adds a person whose connection to the server can be cut.
    pub async fn person_with_proxy(&self, name: &str) -> (Person, Proxy) {
        let proxy = Proxy::start(self.server.address()).await;
        (
            self.add_person(
                name,
                ContextOptions { proxy: Some(proxy.address()), ..ContextOptions::default() },
            )
            .await,
            proxy,
        )
    }

    /// Adds a person whose network refuses every WebSocket. The connection can be cut as well.
    pub async fn person_without_websockets(&self, name: &str) -> (Person, Proxy) {
        let proxy = Proxy::start_without_websockets(self.server.address()).await;
        (
            self.add_person(
                name,
                ContextOptions { proxy: Some(proxy.address()), ..ContextOptions::default() },
            )
            .await,
            proxy,
        )
    }

    async fn add_person(&self, name: &str, options: ContextOptions) -> Person {
        Person::open(name, &self.server.url(""), self.chromium.clone(), options).await
    }
}
