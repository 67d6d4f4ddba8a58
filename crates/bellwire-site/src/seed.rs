//! Demo data: fictional people, and their content in the apps.
//!
//! Seeding can run while the site is running and can be repeated: existing data is left unchanged.

mod function;
mod people;
mod progress;

pub use bellwire_auth::SeedError;
pub use function::{SeedFuture, SeedOptions};
pub use people::{PEOPLE, is_seeded};
pub use progress::Progress;

pub(crate) use function::{OptionGroup, SeedFn};

use crate::{App, SiteState};
use bellwire_auth::{Person, SiteAccounts};

/// The password of all demo people. It is public, so they are never administrators.
pub const PASSWORD: &str = "a bell for everyone";

/// Whether an app has demo data.
pub(crate) fn has_seed(app: &App) -> bool {
    app.all::<SeedFn>().next().is_some()
}

/// Creates the missing demo people, and returns all of them.
///
/// # Errors
/// If another account has one of the names, or the database fails.
pub async fn people(site: &SiteState, progress: &mut Progress) -> Result<Vec<Person>, SeedError> {
    let (people, new) = site.accounts().seed(&PEOPLE, PASSWORD).await?;
    progress.done(format_args!("people: {} new, {} in all", new, people.len()));
    Ok(people)
}

/// Adds the demo data of every app for these people.
///
/// # Errors
/// The first error of an app.
pub async fn apps(
    site: &SiteState,
    apps: &[App],
    people: &[Person],
    progress: &mut Progress,
    options: &SeedOptions,
) -> Result<(), SeedError> {
    for fill in apps.iter().flat_map(App::all::<SeedFn>) {
        fill(site, people, progress, options).await?;
    }
    Ok(())
}
