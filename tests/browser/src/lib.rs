//! Stories told by real browsers against the real server.
//!
//! A story opens a [`Stage`] (a fresh site and a ChromeDriver), lets [`Person`]s come in, each with a browser of
//! their own, and says what they do and see. A person's verbs wait for what they name by looking again and again
//! until [`PATIENCE`] is over, and panic with a sentence and the state of the page when it does not happen. Knows
//! neither the framework nor an app: only addresses and what a person finds on a page.
//!
//! `bin/test` brings the browser and names the server; see [`programs`].

pub mod programs;
mod server;
mod chromedriver;
mod cable;
mod stage;
mod person;
mod verbs;
mod requests;
mod room;
mod picture;

use std::time::Duration;

pub use cable::Cable;
pub use person::Person;
pub use picture::Scheme;
pub use server::Server;
pub use stage::Stage;

/// How long anything that must happen may take. Generous: it is only ever used up by a failure.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// How often is looked whether it has happened.
const LOOK_EVERY: Duration = Duration::from_millis(40);

/// Looks again and again until there is something to return; `None` when [`PATIENCE`] is over.
pub(crate) async fn look_until<T>(mut look: impl AsyncFnMut() -> Option<T>) -> Option<T> {
    let patient = async {
        loop {
            if let Some(found) = look().await {
                return found;
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    };
    tokio::time::timeout(PATIENCE, patient).await.ok()
}
