//! The program `bellwire`: settings, database, apps, serve. The only place where they meet.

use std::fmt::Display;
use std::io::Write;
use std::process::ExitCode;

use anyhow::Context;
use bellwire_site::{App, Settings, Site, SiteState};
use clap::{Parser, Subcommand};

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
}

/// What this site is made of. The order is the one in the navigation.
fn apps() -> Vec<App> {
    vec![bellwire_chat::app()]
}

fn main() -> ExitCode {
    let Arguments { command } = Arguments::parse();
    let settings = match Settings::from_environment() {
        Ok(settings) => settings,
        Err(wrong) => return complain(&wrong, 2),
    };
    bellwire_site::start_log(&settings);
    let done = match command.unwrap_or(Command::Serve) {
        Command::Serve => serve(settings),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => complain(&format!("{error:#}"), 1),
    }
}

fn serve(settings: Settings) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?;
    let served = runtime.block_on(async {
        let site = Site::open(settings, apps()).await?;
        greet(site.state()).await?;
        site.run().await;
        anyhow::Ok(())
    });
    // What still computes, such as a password nobody waits for, does not hold up the end.
    runtime.shutdown_background();
    served
}

/// Where it is, and what to do next.
async fn greet(site: &SiteState) -> anyhow::Result<()> {
    let address = site.public_url().as_str();
    let next = match site.accounts().has_administrator().await? {
        true => format!("Open {address}"),
        false => format!("Open {address} – the first visitor becomes the administrator."),
    };
    let mut terminal = std::io::stdout().lock();
    // A terminal that is gone is no reason not to serve.
    let _ = writeln!(terminal, "\n  Bellwire is running at {address}\n  {next}\n  Ctrl-C stops it.\n");
    Ok(())
}

fn complain(what: &impl Display, code: u8) -> ExitCode {
    let _ = writeln!(std::io::stderr(), "bellwire: {what}");
    ExitCode::from(code)
}
