//! Demo data: fictional people, and their content in the apps.
//!
//! Seeding can run while the site is running and can be repeated: existing data is left unchanged.

use std::future::Future;
use std::pin::Pin;

mod people;
mod progress;

pub use bellwire_auth::SeedError;
pub use people::{PEOPLE, is_seeded};
pub use progress::Progress;

use crate::{App, SiteError, SiteState};
use bellwire_auth::{Person, SiteAccounts};

/// The password of all demo people. It is public, so they are never administrators.
pub const PASSWORD: &str = "a bell for everyone";

/// The future of an app's [`seed`](App::seed).
pub type SeedFuture<'a> = Pin<Box<dyn Future<Output = Result<(), SiteError>> + Send + 'a>>;

/// The options of `bellwire seed`, including those added with [`App::seed_options`].
#[derive(Debug, Default)]
pub struct SeedOptions(Option<clap::ArgMatches>);

impl SeedOptions {
    pub(crate) fn of(matches: &clap::ArgMatches) -> Self {
        Self(Some(matches.clone()))
    }

    /// The options of one argument group; `None` without a command line.
    pub fn get<A: clap::FromArgMatches>(&self) -> Option<A> {
        A::from_arg_matches(self.0.as_ref()?).ok()
    }
}

/// Adds an app's options to the command.
pub(crate) struct OptionGroup(pub(crate) fn(clap::Command) -> clap::Command);

/// A function that adds an app's demo data.
pub(crate) type SeedFn =
    for<'a> fn(&'a SiteState, &'a [Person], &'a mut Progress, &'a SeedOptions) -> SeedFuture<'a>;

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
