//! The program of a site: its command line, what it says, and its exit code.

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

/// The commands that every site has.
#[derive(Debug, Subcommand)]
enum BuiltIn {
    /// Serves the site. This is what happens when nothing else is said.
    Serve,
    /// Accounts, also beside a running site.
    #[command(subcommand)]
    User(user::Command),
    /// Fills the site with something to see: people, and what they do in its apps.
    ///
    /// Thirteen people who exist nowhere talk, write and answer each other, over the past three
    /// weeks. It works beside a running server (reload the page then) and as often as you like:
    /// only what is missing is added, and nobody becomes an administrator.
    ///
    /// Everybody knows the password of these people, which is said at the end. So a site where two
    /// or more others have an account, or where not everybody may make one (BELLWIRE_SIGNUP), is
    /// filled only with --yes.
    Seed(seed::Seed),
    /// Brings the tables of the database up to date.
    Migrate,
    /// Looks whether everything is as a site needs it, and says how to mend what is not.
    Check,
}

impl Builder {
    /// Runs the program: parses the command line and carries out the command, `serve` if there is
    /// none. Errors go to the standard error output, with exit code 1, or 2 for a wrong setting.
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
        (Err(wrong), _) if matches.subcommand_name() == Some("check") => {
            check::show("settings", &Err(wrong.to_string()));
            return ExitCode::FAILURE;
        }
        (Err(wrong), _) => return complain(wrong, 2),
        (Ok(_), Some((command, arguments))) => {
            run_to_end(added_command(site, command.clone(), arguments.clone()))
        }
        (Ok(settings), None) => built_in(settings.clone(), site, &matches),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => complain(&format!("{error:#}"), 1),
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

/// The commands that the site and its apps add.
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
    // What still computes, such as a password nobody waits for, does not hold up the end.
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
    say(format_args!("{:?} is up to date", settings.database));
    Ok(())
}

/// Where it is, and what to do next.
async fn greet(name: &str, site: &SiteState) -> anyhow::Result<()> {
    let address = site.public_url().as_str();
    let next = match site.accounts().has_administrator().await? {
        true => format!("Open {address}"),
        false => format!("Open {address} – the first visitor becomes the administrator."),
    };
    say(format_args!("\n  {name} is running at {address}\n  {next}\n  Ctrl-C stops it.\n"));
    Ok(())
}

/// A terminal that is gone is no reason to stop.
fn say(what: impl Display) {
    let _ = writeln!(std::io::stdout(), "{what}");
}

fn complain(what: &impl Display, code: u8) -> ExitCode {
    let _ = writeln!(std::io::stderr(), "bellwire: {what}");
    ExitCode::from(code)
}
