//! A site with something to see: people who exist nowhere, and what the apps let them do.
//!
//! It may be done beside a running site and as often as one likes: what is there is left as it is.

use std::future::Future;
use std::pin::Pin;

mod people;
mod progress;

pub use people::{PEOPLE, is_seeded};
pub use progress::Progress;

use crate::accounts::Person;
use crate::{App, SiteError, SiteState};

/// The password of everyone who is made here. Everybody may know it, so they are ordinary people, never administrators.
pub const PASSWORD: &str = "a bell for everyone";

/// What an app's [`seed`](App::seed) returns.
pub type Filling<'a> = Pin<Box<dyn Future<Output = Result<(), SiteError>> + Send + 'a>>;

/// How an app fills a site.
pub(crate) type Fill = for<'a> fn(&'a SiteState, &'a [Person], &'a mut Progress) -> Filling<'a>;

/// Why a site is not filled.
#[derive(Debug, thiserror::Error)]
pub enum SeedError {
    /// Nobody is to find words in their mouth that they never said.
    #[error("somebody here is called `{0}` already, as one of the people to be made: nothing was done")]
    NameTaken(&'static str),
    /// The database, or an app.
    #[error(transparent)]
    Site(#[from] SiteError),
}

impl From<sea_orm::DbErr> for SeedError {
    fn from(error: sea_orm::DbErr) -> Self {
        Self::Site(error.into())
    }
}

impl From<crate::DbError> for SeedError {
    fn from(error: crate::DbError) -> Self {
        Self::Site(error.into())
    }
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
) -> Result<(), SeedError> {
    for fill in apps.iter().filter_map(|app| app.seed) {
        fill(site, people, progress).await?;
    }
    Ok(())
}
