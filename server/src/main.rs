//! The program `bellwire`: settings, database, apps, serve. The only place where they meet.

use std::fmt::Display;
use std::io::Write;
use std::process::ExitCode;

use anyhow::Context;
use bellwire_site::{App, Settings, SettingsError, Site, SiteState};
use clap::{Parser, Subcommand};

mod check;
mod seed;
mod user;

/// Server-rendered pages that stay live over one WebSocket.
#[derive(Debug, Parser)]
#[command(version, about)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serves the site. This is what happens when nothing else is said.
    Serve,
    /// Accounts, also beside a running site.
    #[command(subcommand)]
    User(user::Command),
    /// Fills the site with something to see: people, rooms with a conversation, and articles.
    ///
    /// Thirteen people who exist nowhere talk in rooms, one of them closed, and in private, over the past three weeks. It works beside a
    /// running server (reload the page then) and as often as you like: only what is missing is added, and nobody becomes an administrator.
    ///
    /// Everybody knows the password of these people, which is said at the end. So a site where two or more others have an account, or where
    /// not everybody may make one (BELLWIRE_SIGNUP), is filled only with --yes.
    Seed(seed::Seed),
    /// Brings the tables of the database up to date.
    Migrate,
    /// Looks whether everything is as a site needs it, and says how to mend what is not.
    Check,
}

/// What this site is made of. The order is the one in the navigation.
fn apps() -> Vec<App> {
    vec![bellwire_chat::app(), bellwire_blog::app(), bellwire_social::app(), bellwire_playground::app()]
}

fn main() -> ExitCode {
    let Arguments { command } = Arguments::parse();
    let command = command.unwrap_or(Command::Serve);
    let settings = match Settings::from_environment() {
        Ok(settings) => settings,
        Err(wrong) => return refuse(&command, &wrong),
    };
    let done = match command {
        Command::Serve => serve(settings),
        Command::User(command) => run(user::run(command, settings)),
        Command::Seed(command) => run(seed::run(command, settings)),
        Command::Migrate => run(migrate(settings)),
        Command::Check => run(check::run(settings)),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => complain(&format!("{error:#}"), 1),
    }
}

fn serve(settings: Settings) -> anyhow::Result<()> {
    bellwire_site::start_log(&settings);
    run(async {
        let site = Site::open(settings, apps()).await?;
        let end = bellwire_site::shutdown_signal();
        greet(site.state()).await?;
        site.run_until(end).await;
        Ok(())
    })
}

fn run(work: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?;
    let done = runtime.block_on(work);
    // What still computes, such as a password nobody waits for, does not hold up the end.
    runtime.shutdown_background();
    done
}

async fn migrate(settings: Settings) -> anyhow::Result<()> {
    let database = format!("{:?}", settings.database);
    let site = SiteState::open(settings, &apps()).await?;
    site.db().close().await;
    say(format_args!("{database} is up to date"));
    Ok(())
}

/// Where it is, and what to do next.
async fn greet(site: &SiteState) -> anyhow::Result<()> {
    let address = site.public_url().as_str();
    let next = match site.accounts().has_administrator().await? {
        true => format!("Open {address}"),
        false => format!("Open {address} – the first visitor becomes the administrator."),
    };
    say(format_args!("\n  Bellwire is running at {address}\n  {next}\n  Ctrl-C stops it.\n"));
    Ok(())
}

/// A terminal that is gone is no reason to stop.
fn say(what: impl Display) {
    let _ = writeln!(std::io::stdout(), "{what}");
}

fn refuse(command: &Command, wrong: &SettingsError) -> ExitCode {
    match command {
        Command::Check => {
            check::show("settings", &Err(wrong.to_string()));
            ExitCode::FAILURE
        }
        _ => complain(wrong, 2),
    }
}

fn complain(what: &impl Display, code: u8) -> ExitCode {
    let _ = writeln!(std::io::stderr(), "bellwire: {what}");
    ExitCode::from(code)
}
