use std::net::SocketAddr;
use std::sync::Arc;

use crate::chromium::{Chromium, ContextOptions};
use crate::person::Person;
use crate::proxy::Proxy;

/// The browsers of the visitors of a server.
#[derive(Debug)]
pub struct Browsers {
    server: SocketAddr,
    chromium: Arc<Chromium>,
}

impl Browsers {
    /// The browsers of a server at this address, which a story serves itself.
    pub async fn at(server: SocketAddr) -> Self {
        Self { server, chromium: Chromium::shared().await }
    }

    pub(crate) fn new(server: SocketAddr, chromium: Arc<Chromium>) -> Self {
        Self { server, chromium }
    }

    /// Adds a person with a new browser context, without cookies and cache.
    pub async fn person(&self, name: &str) -> Person {
        self.add_person(name, ContextOptions::default()).await
    }

    /// Adds a person whose browser runs no scripts.
    pub async fn person_without_javascript(&self, name: &str) -> Person {
        let options = ContextOptions { without_javascript: true, ..ContextOptions::default() };
        self.add_person(name, options).await
    }

    /// Adds a person with a separate browser process, which can crash.
    pub async fn person_with_own_browser(&self, name: &str) -> Person {
        let chromium = Arc::new(Chromium::full().await);
        Person::open(name, &self.url(), chromium, ContextOptions::default()).await
    }

    /// Adds a person whose connection to the server can be cut.
    pub async fn person_with_proxy(&self, name: &str) -> (Person, Proxy) {
        self.add_person_behind(name, Proxy::start(self.server).await).await
    }

    /// Adds a person whose network refuses every WebSocket. The connection can be cut as well.
    pub async fn person_without_websockets(&self, name: &str) -> (Person, Proxy) {
        self.add_person_behind(name, Proxy::start_without_websockets(self.server).await).await
    }

    async fn add_person_behind(&self, name: &str, proxy: Proxy) -> (Person, Proxy) {
        let options = ContextOptions { proxy: Some(proxy.address()), ..ContextOptions::default() };
        (self.add_person(name, options).await, proxy)
    }

    async fn add_person(&self, name: &str, options: ContextOptions) -> Person {
        Person::open(name, &self.url(), self.chromium.clone(), options).await
    }

    fn url(&self) -> String {
        format!("http://{}", self.server)
    }
}
