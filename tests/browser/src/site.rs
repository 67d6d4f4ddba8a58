use std::ops::Deref;
use std::sync::Arc;

use crate::browsers::Browsers;
use crate::chromium::Chromium;
use crate::server::Server;

/// A site with an empty database, and the browsers of its visitors. Declare it before the people,
/// because they must be dropped first.
#[derive(Debug)]
pub struct Site {
    /// The server process, which stories may kill and restart.
    pub server: Server,
    browsers: Browsers,
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
        Self::new(server, chromium)
    }

    /// The same as [`Site::open`], in a browser with a back-forward cache, which the headless shell
    /// does not have.
    pub async fn open_in_full_browser() -> Self {
        let (server, chromium) = tokio::join!(Server::start(&[]), Chromium::full());
        Self::new(server, Arc::new(chromium))
    }

    fn new(server: Server, chromium: Arc<Chromium>) -> Self {
        let browsers = Browsers::new(server.address(), chromium);
        Self { server, browsers }
    }
}

impl Deref for Site {
    type Target = Browsers;

    fn deref(&self) -> &Browsers {
        &self.browsers
    }
}
