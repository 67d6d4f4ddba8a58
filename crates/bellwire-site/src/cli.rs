//! The command line of a site: parsing, output and exit codes.

use std::fmt::Display;
use std::io::Write;
use std::process::ExitCode;

use anyhow::Context;
use clap::{ArgMatches, FromArgMatches, Subcommand};

use crate::app::App;
use crate::builder::Builder;
use crate::command::Command;
use crate::seed::SeedOptions;
use crate::site::state_of;
use crate::{Settings, SiteState, log};
use bellwire_auth::SiteAccounts;

mod check;
mod seed;
mod user;

/// The built-in commands of every site.
#[derive(Debug, Subcommand)]
enum BuiltIn {
    /// Serves the site (default)
    Serve,
    /// Manages accounts; the site may be running
    #[command(subcommand)]
    User(user::Command),
    /// Adds demo data: people, and their messages, articles and comments in the apps
    ///
    /// The data is the activity of thirteen fictional people over the past three weeks. The server
    /// may be running (reload the page afterwards). The command can be repeated: it adds only
    /// missing data. It creates no administrator.
    ///
    /// These people share one public password, printed at the end. Therefore a site with two or
    /// more other accounts, or without open sign-up (BELLWIRE_SIGNUP), is seeded only with --yes.
    Seed(seed::Seed),
    /// Applies pending database migrations
    Migrate,
    /// Checks the settings and the environment, and reports each problem with its fix
    Check,
}

impl Builder {
    /// Runs the program: parses the command line and runs the command, `serve` by default. Errors
    /// are written to standard error, with exit code 1, or 2 for an invalid setting.
    #[must_use]
    pub fn run(self) -> ExitCode {
        run(self)
    }
}

fn run(site: Builder) -> ExitCode {
    let own = commands(&site);
    let matches = arguments(&site, &own).get_matches();
    let added = matches.subcommand().and_then(|(name, arguments)| {
        own.iter()
            .find(|command| command.arguments.get_name() == name)
            .map(|command| (command, arguments))
    });
    let done = match (&site.settings, added) {
        (Err(error), _) if matches.subcommand_name() == Some("check") => {
            check::show("settings", &Err(error.to_string()));
            return ExitCode::FAILURE;
        }
        (Err(error), _) => return print_error(error, 2),
        (Ok(_), Some((command, arguments))) => {
            run_to_end(added_command(site, command.clone(), arguments.clone()))
        }
        (Ok(settings), None) => built_in(settings.clone(), site, &matches),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => print_error(&format!("{error:#}"), 1),
    }
}

fn built_in(settings: Settings, site: Builder, matches: &ArgMatches) -> anyhow::Result<()> {
    let command = match matches.subcommand() {
        None => BuiltIn::Serve,
        Some(_) => BuiltIn::from_arg_matches(matches)?,
    };
    match command {
        BuiltIn::Serve => serve(&settings, site),
        BuiltIn::User(command) => run_to_end(user::run(command, site)),
        BuiltIn::Seed(command) => {
            let options =
                matches.subcommand_matches("seed").map(SeedOptions::of).unwrap_or_default();
            run_to_end(seed::run(command, options, site))
        }
        BuiltIn::Migrate => run_to_end(migrate(settings, site)),
        BuiltIn::Check => run_to_end(check::run(settings, site)),
    }
}

/// The commands added by the site and its apps.
fn commands(site: &Builder) -> Vec<Command> {
    site.commands.iter().chain(site.apps.iter().flat_map(App::all::<Command>)).cloned().collect()
}

fn arguments(site: &Builder, own: &[Command]) -> clap::Command {
    let program = std::env::args_os().next().map(std::path::PathBuf::from);
    let program =
        program.as_ref().and_then(|path| path.file_stem()?.to_str()).unwrap_or("site").to_owned();
    let command = clap::Command::new(program).version(site.version);
    let command =
        BuiltIn::augment_subcommands(command).about(site.about).mut_subcommand("seed", |seed| {
            site.apps
                .iter()
                .flat_map(App::all::<crate::seed::OptionGroup>)
                .fold(seed, |seed, group| (group.0)(seed))
        });
    command.subcommands(own.iter().map(|command| command.arguments.clone()))
}

fn serve(settings: &Settings, site: Builder) -> anyhow::Result<()> {
    log::start(settings);
    run_to_end(async {
        let name = site.name.clone();
        let site = site.open().await?;
        let end = bellwire::shutdown_signal();
        greet(&name, site.state()).await?;
        site.run_until(end).await;
        Ok(())
    })
}

fn run_to_end(work: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?;
    let done = runtime.block_on(work);
    // Does not wait for blocking work, such as hashing a password of a client that has
    // disconnected.
    runtime.shutdown_background();
    done
}

async fn added_command(
    site: Builder,
    command: Command,
    arguments: ArgMatches,
) -> anyhow::Result<()> {
    let (site, _) = state_of(site).await?;
    let done = command.run(site.clone(), arguments).await;
    site.db().close().await;
    done.map_err(anyhow::Error::from_boxed)
}

async fn migrate(settings: Settings, site: Builder) -> anyhow::Result<()> {
    let (site, _) = state_of(site).await?;
    site.db().close().await;
    print_line(format_args!("{:?} is up to date", settings.database));
    Ok(())
}

/// Prints the address and the next step.
async fn greet(name: &str, site: &SiteState) -> anyhow::Result<()> {
    let address = site.public_url().as_str();
    let next = match site
        .accounts()
        .has_administrator()
        .await
        .map_err(|error| anyhow::anyhow!(error.for_log()))?
    {
        true => format!("Open {address}"),
        false => format!("Open {address} – the first visitor becomes the administrator."),
    };
    print_line(format_args!(
        "\n  {name} is running at {address}\n  {next}\n  Press Ctrl-C to stop.\n"
    ));
    Ok(())
}

/// Prints a line. Ignores errors, because a closed terminal must not stop the server.
fn print_line(text: impl Display) {
    let _ = writeln!(std::io::stdout(), "{text}");
}

fn print_error(error: &impl Display, code: u8) -> ExitCode {
    let _ = writeln!(std::io::stderr(), "bellwire: {error}");
    ExitCode::from(code)
}
