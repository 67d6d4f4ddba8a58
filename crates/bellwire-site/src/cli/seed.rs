//! `bellwire seed`: something to see.

use anyhow::bail;
use clap::Args;

use super::say;
use crate::app::App;
use crate::builder::Builder;
use crate::seed::{self, PASSWORD, Progress, SeedOptions, is_seeded};
use crate::settings::SiteSettings;
use crate::site::state_of;
use crate::{NavItem, SignUp, SiteState};
use bellwire_auth::SiteAccounts;

/// The site's own options; the apps add theirs.
#[derive(Debug, Args)]
pub(crate) struct Seed {
    /// Fills the site although others use it.
    #[arg(long)]
    yes: bool,
}

pub(crate) async fn run(command: Seed, options: SeedOptions, site: Builder) -> anyhow::Result<()> {
    let (site, apps) = state_of(site).await?;
    let done = fill(&command, &options, &site, &apps).await;
    site.db().close().await;
    done
}

async fn fill(
    command: &Seed,
    options: &SeedOptions,
    site: &SiteState,
    apps: &[App],
) -> anyhow::Result<()> {
    if !command.yes {
        ask_first(site).await?;
    }
    let mut progress = Progress::on_terminal();
    let people = seed::people(site, &mut progress).await?;
    seed::apps(site, apps, &people, &mut progress, options).await?;
    let name = people.first().map(|person| &*person.name).unwrap_or_default();
    tell(site, apps, name, people.len()).await
}

/// A site that others use is not filled by a slip of the hand.
async fn ask_first(site: &SiteState) -> anyhow::Result<()> {
    let others =
        site.accounts().everyone().await?.iter().filter(|person| !is_seeded(person)).count();
    if others > 1 {
        bail!(
            "{others} people have an account here: nothing was done. `bellwire seed --yes` adds people who do not exist, and what they say, all the same."
        );
    }
    if site.settings().sign_up != SignUp::Open {
        bail!(
            "not everybody may make an account here (BELLWIRE_SIGNUP), but everybody knows the password of the people to be made: nothing was done. `bellwire seed --yes` makes them all the same."
        );
    }
    Ok(())
}

async fn tell(site: &SiteState, apps: &[App], name: &str, count: usize) -> anyhow::Result<()> {
    let address = site.public_url().as_str();
    let seen = apps.iter().filter(|app| seed::is_filled(app)).flat_map(App::all::<NavItem>);
    let seen: Vec<_> = seen.map(|card| site.public_url().absolute(card.path)).collect();
    if let [others @ .., last] = &*seen {
        let others = others.iter().map(|other| format!("{other}, ")).collect::<String>();
        say(format_args!("There is something to see at {others}{last}"));
    }
    if !site.accounts().has_administrator().await? {
        say(format_args!(
            "Make your own account at {address}/accounts/first/ – it will be the administrator."
        ));
    }
    say(format_args!(
        "Or sign in at {address}/accounts/login/ as `{name}`, or any other of the {count}, with the password `{PASSWORD}`."
    ));
    Ok(())
}
