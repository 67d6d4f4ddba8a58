//! Command-line commands added by a site or an app.

use std::error::Error;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use clap::ArgMatches;

use crate::SiteState;

/// The result of a command: an error is printed, with exit code 1.
pub type CommandResult = Result<(), Box<dyn Error + Send + Sync>>;

type RunFuture = Pin<Box<dyn Future<Output = CommandResult> + Send>>;

/// A subcommand of the program, such as `bellwire greet --loud`. It can run while the site is
/// running, with the database open and migrated. An error gives exit code 1.
///
/// ```
/// use bellwire_site::Command;
///
/// let greet = clap::Command::new("greet").about("Greets a person").arg(clap::arg!(<NAME>));
/// let command = Command::new(greet, |site, arguments| async move {
///     let name: &String = arguments.get_one("NAME").ok_or("NAME is missing")?;
///     site.bellwire().layer(); // the same state as in a handler
///     tracing::info!("Hello, {name}");
///     Ok(())
/// });
/// # let _ = command;
/// ```
#[derive(Clone)]
pub struct Command {
    pub(crate) arguments: clap::Command,
    run: Arc<dyn Fn(SiteState, ArgMatches) -> RunFuture + Send + Sync>,
}

impl Command {
    /// Creates a command from its clap arguments and the function to run.
    pub fn new<F>(
        arguments: clap::Command,
        run: impl Fn(SiteState, ArgMatches) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = CommandResult> + Send + 'static,
    {
        Self { arguments, run: Arc::new(move |site, matches| Box::pin(run(site, matches))) }
    }

    pub(crate) fn run(&self, site: SiteState, matches: ArgMatches) -> RunFuture {
        (self.run)(site, matches)
    }
}

impl fmt::Debug for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Command").field("name", &self.arguments.get_name()).finish_non_exhaustive()
    }
}
