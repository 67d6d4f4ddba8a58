use std::sync::Arc;

use crate::cable::Cable;
use crate::chromium::{Chromium, Habits};
use crate::person::Person;
use crate::server::Server;

/// A fresh site, and the means to let people in. Declare it before the people: they must leave
/// first.
#[derive(Debug)]
pub struct Stage {
    /// The site's process, to be killed and started again.
    pub server: Server,
    chromium: Arc<Chromium>,
}

impl Stage {
    /// Starts a fresh site, with a browser for the people who come.
    pub async fn open() -> Self {
        Self::open_with(&[]).await
    }

    /// As [`Stage::open`], with settings for the server, for example
    /// `("BELLWIRE_SIGNUP", "closed")`.
    pub async fn open_with(settings: &[(&str, &str)]) -> Self {
        let (server, chromium) = tokio::join!(Server::start(settings), Chromium::shared());
        Self { server, chromium }
    }

    /// Lets somebody in with a fresh browser context: no cookies, no cache, nothing remembered.
    pub async fn person(&self, name: &str) -> Person {
        self.arrives(name, Habits::default()).await
    }

    /// Lets somebody in whose browser runs no scripts.
    pub async fn person_without_javascript(&self, name: &str) -> Person {
        self.arrives(name, Habits { without_javascript: true, ..Habits::default() }).await
    }

    /// Lets somebody in with a browser process of their own, which can crash.
    pub async fn person_with_a_browser(&self, name: &str) -> Person {
        let chromium = Arc::new(Chromium::start().await);
        Person::arrive(name, &self.server.url(""), chromium, Habits::default()).await
    }

    /// Lets somebody in whose connection to the server can be cut.
    pub async fn person_with_a_cable(&self, name: &str) -> (Person, Cable) {
        let cable = Cable::to(self.server.address()).await;
        (
            self.arrives(name, Habits { way: Some(cable.address()), ..Habits::default() }).await,
            cable,
        )
    }

    /// Lets somebody in on whose network a proxy refuses every WebSocket. The way can be cut as
    /// well.
    pub async fn person_without_sockets(&self, name: &str) -> (Person, Cable) {
        let cable = Cable::without_sockets_to(self.server.address()).await;
        (
            self.arrives(name, Habits { way: Some(cable.address()), ..Habits::default() }).await,
            cable,
        )
    }

    async fn arrives(&self, name: &str, habits: Habits) -> Person {
        Person::arrive(name, &self.server.url(""), self.chromium.clone(), habits).await
    }
}
