use tokio::sync::{Mutex, MutexGuard};

use crate::cable::Cable;
use crate::chromedriver::ChromeDriver;
use crate::person::{Habits, Person};
use crate::server::Server;

/// Browsers are heavy: one story at a time has the machine for itself.
static TURN: Mutex<()> = Mutex::const_new(());

/// A fresh site, and the means to let people in. Declare it before the people: they must leave first.
#[derive(Debug)]
pub struct Stage {
    /// The site's process, to be killed and started again.
    pub server: Server,
    driver: ChromeDriver,
    _turn: MutexGuard<'static, ()>,
}

impl Stage {
    /// Waits for this story's turn and starts a fresh site.
    pub async fn open() -> Self {
        Self::open_with(&[]).await
    }

    /// As [`Stage::open`], with settings for the server, for example `("BELLWIRE_SIGNUP", "closed")`.
    pub async fn open_with(settings: &[(&str, &str)]) -> Self {
        let turn = TURN.lock().await;
        Self { server: Server::start(settings).await, driver: ChromeDriver::start(), _turn: turn }
    }

    /// Lets somebody in, with a fresh browser: no cookies, no cache, nothing remembered.
    pub async fn person(&self, name: &str) -> Person {
        self.arrives(name, Habits::default()).await
    }

    /// Lets somebody in whose browser runs no scripts.
    pub async fn person_without_javascript(&self, name: &str) -> Person {
        self.arrives(name, Habits { without_javascript: true, ..Habits::default() }).await
    }

    /// Lets somebody in whose connection to the server can be cut.
    pub async fn person_with_a_cable(&self, name: &str) -> (Person, Cable) {
        let cable = Cable::to(self.server.address()).await;
        let way = Some((self.server.address(), cable.address()));
        (self.arrives(name, Habits { way, ..Habits::default() }).await, cable)
    }

    /// Lets somebody in on whose network a proxy refuses every WebSocket. The way can be cut as well.
    pub async fn person_without_sockets(&self, name: &str) -> (Person, Cable) {
        let cable = Cable::without_sockets_to(self.server.address()).await;
        let way = Some((self.server.address(), cable.address()));
        (self.arrives(name, Habits { way, ..Habits::default() }).await, cable)
    }

    async fn arrives(&self, name: &str, habits: Habits) -> Person {
        Person::arrive(name, &self.driver.url(), &self.server.url(""), habits).await
    }
}
