//! The function with which an app adds its demo data.

use std::future::Future;
use std::pin::Pin;

use bellwire_auth::Person;

use crate::seed::progress::Progress;
use crate::{SiteError, SiteState};

/// The future of an app's [`seed`](crate::App::seed).
pub type SeedFuture<'a> = Pin<Box<dyn Future<Output = Result<(), SiteError>> + Send + 'a>>;

/// The options of `bellwire seed`, including those added with [`App::seed_options`](crate::App::seed_options).
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
