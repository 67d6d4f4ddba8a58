//! A site with something to see: people who exist nowhere, and what the apps let them do.
//!
//! It may be done beside a running site and as often as one likes: what is there is left as it is.

use std::future::Future;
use std::pin::Pin;

mod people;
mod progress;

pub use bellwire_auth::SeedError;
pub use people::{PEOPLE, is_seeded};
pub use progress::Progress;

use crate::{App, SiteError, SiteState};
use bellwire_auth::{Person, SiteAccounts};

/// The password of everyone who is made here. Everybody may know it, so they are ordinary people,
/// never administrators.
pub const PASSWORD: &str = "a bell for everyone";

/// The future of an app's [`seed`](App::seed).
pub type Filling<'a> = Pin<Box<dyn Future<Output = Result<(), SiteError>> + Send + 'a>>;

/// The options of `bellwire seed`, with those that apps added by [`App::seed_options`].
#[derive(Debug, Default)]
pub struct SeedOptions(Option<clap::ArgMatches>);

impl SeedOptions {
    pub(crate) fn of(matches: &clap::ArgMatches) -> Self {
        Self(Some(matches.clone()))
    }

    /// The options of one group; nothing if there was no command line.
    pub fn get<A: clap::FromArgMatches>(&self) -> Option<A> {
        A::from_arg_matches(self.0.as_ref()?).ok()
    }
}

/// Adds the options of an app to the command.
pub(crate) struct OptionGroup(pub(crate) fn(clap::Command) -> clap::Command);

/// How an app fills a site.
pub(crate) type Fill =
    for<'a> fn(&'a SiteState, &'a [Person], &'a mut Progress, &'a SeedOptions) -> Filling<'a>;

/// Whether an app has something to fill itself with.
pub(crate) fn is_filled(app: &App) -> bool {
    app.all::<Fill>().next().is_some()
}

/// Makes the people who are missing, and returns all of them.
///
/// # Errors
/// That somebody else has one of the names, or the database's.
pub async fn people(site: &SiteState, progress: &mut Progress) -> Result<Vec<Person>, SeedError> {
    let (people, new) = site.accounts().seed(&PEOPLE, PASSWORD).await?;
    progress.done(format_args!("people: {} new, {} in all", new, people.len()));
    Ok(people)
}

/// Lets every app fill the site with what these people do in it.
///
/// # Errors
/// The first that an app has.
pub async fn apps(
    site: &SiteState,
    apps: &[App],
    people: &[Person],
    progress: &mut Progress,
    options: &SeedOptions,
) -> Result<(), SeedError> {
    for fill in apps.iter().flat_map(App::all::<Fill>) {
        fill(site, people, progress, options).await?;
    }
    Ok(())
}
