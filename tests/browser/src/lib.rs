//! Stories told by real browsers against the real server.
//!
//! A story opens a [`Stage`] (a fresh site), lets [`Person`]s come in, and says what they do and
//! see. The stories of a program share one browser process; each person has a browser context of
//! their own, with its own cookies, storage, cache, connections and network. A person's verbs wait
//! for what they name by looking again and again until [`PATIENCE`] is over, and panic with a
//! sentence and the state of the page when it does not happen.
//!
//! Each story fails on an uncaught error, an unhandled rejection, `console.error` or any other
//! error that a page reports from its first line to the person's end. A story that cuts a cable or
//! is refused something on purpose names that [`Trouble`] with [`Person::expects`].
//!
//! The module order is the way down from the site to the browser's protocol. Nothing here knows the
//! framework or an app: only addresses and what a person finds on a page.
//!
//! `bin/test` brings the browser and names the server; see [`programs`].

pub mod programs;
mod server;
mod cable;
mod stage;
mod person;
mod verbs;
mod travels;
mod requests;
mod room;
mod picture;
mod keys;
mod chromium;
mod observed;
mod context;
mod complaints;
mod tab;
mod devtools;

use std::time::Duration;

pub use cable::Cable;
pub use complaints::Trouble;
pub use keys::{Key, Keys};
pub use person::Person;
pub use picture::Scheme;
pub use server::Server;
pub use stage::Stage;
pub use tab::Tab;

/// How long anything that must happen may take. Generous: it is only ever used up by a failure.
pub const PATIENCE: Duration = Duration::from_secs(60);

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
