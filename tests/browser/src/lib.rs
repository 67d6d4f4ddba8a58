//! Drives real browsers against the real server, for the browser tests ("stories").
//!
//! A story starts a [`Site`] with an empty database, adds [`Person`]s, and describes their actions
//! and the results. The stories of a test program share one browser process. Each person has a
//! separate browser context with its own cookies, storage, cache, connections and network. A
//! person's methods poll until the named condition holds. After [`TEST_TIMEOUT`] they panic with a
//! sentence and the state of the page.
//!
//! A story fails on an uncaught error, an unhandled rejection, `console.error` or any other error
//! that a page reports. A story that causes a network error on purpose names that [`NetworkError`]
//! with [`Person::expects`].
//!
//! The modules are listed from the site down to the browser's protocol. Nothing here depends on the
//! framework or an app, except for addresses and the content of pages.
//!
//! `bin/test` installs the browser and names the server; see [`programs`].

pub mod programs;
mod server;
mod proxy;
mod site;
mod browsers;
mod person;
mod actions;
mod navigation;
mod requests;
mod room;
mod screenshot;
mod keys;
mod chromium;
mod events;
mod context;
mod console;
mod tab;
mod devtools;

use std::time::Duration;

pub use browsers::Browsers;
pub use console::NetworkError;
pub use keys::{Key, Keys};
pub use person::Person;
pub use proxy::Proxy;
pub use screenshot::ColorScheme;
pub use server::Server;
pub use site::Site;
pub use tab::Tab;

/// The longest that a story waits for a condition. Only a failing story waits this long.
pub const TEST_TIMEOUT: Duration = Duration::from_secs(60);

/// The interval between two polls of a condition.
const POLL_INTERVAL: Duration = Duration::from_millis(40);

/// Polls until `poll` returns a value. Returns `None` after [`TEST_TIMEOUT`].
pub(crate) async fn poll_until<T>(mut poll: impl AsyncFnMut() -> Option<T>) -> Option<T> {
    let polling = async {
        loop {
            if let Some(found) = poll().await {
                return found;
            }
            tokio::time::sleep(POLL_INTERVAL).await;
        }
    };
    tokio::time::timeout(TEST_TIMEOUT, polling).await.ok()
}
