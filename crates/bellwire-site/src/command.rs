//! Commands that a site or an app adds to the program.

use std::error::Error;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use clap::ArgMatches;

use crate::SiteState;

/// The end of a command: nothing to say, or what went wrong.
pub type CommandResult = Result<(), Box<dyn Error + Send + Sync>>;

type Running = Pin<Box<dyn Future<Output = CommandResult> + Send>>;

/// A subcommand of the program, such as `bellwire greet --loud`. It runs beside a running site,
/// with the database open and up to date, and with exit code 1 if it returns an error.
///
/// ```
/// use bellwire_site::Command;
///
/// let greet = clap::Command::new("greet").about("Says hello to somebody").arg(clap::arg!(<NAME>));
/// let command = Command::new(greet, |site, arguments| async move {
///     let name: &String = arguments.get_one("NAME").ok_or("NAME is missing")?;
///     site.bellwire().layer(); // everything that a handler sees
///     tracing::info!("Hello, {name}");
///     Ok(())
/// });
/// # let _ = command;
/// ```
#[derive(Clone)]
pub struct Command {
    pub(crate) arguments: clap::Command,
    run: Arc<dyn Fn(SiteState, ArgMatches) -> Running + Send + Sync>,
}

impl Command {
    /// A command with these arguments, and what it does.
    pub fn new<F>(
        arguments: clap::Command,
        run: impl Fn(SiteState, ArgMatches) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = CommandResult> + Send + 'static,
    {
        Self { arguments, run: Arc::new(move |site, matches| Box::pin(run(site, matches))) }
    }

    pub(crate) fn run(&self, site: SiteState, matches: ArgMatches) -> Running {
        (self.run)(site, matches)
    }
}

impl fmt::Debug for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Command").field("name", &self.arguments.get_name()).finish_non_exhaustive()
    }
}
