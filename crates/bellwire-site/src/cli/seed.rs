//! The `bellwire seed` command: demo data.

use anyhow::bail;
use clap::Args;

use super::print_line;
use crate::app::App;
use crate::builder::Builder;
use crate::seed::{self, PASSWORD, Progress, SeedOptions, is_seeded};
use crate::settings::SiteSettings;
use crate::site::state_of;
use crate::{NavItem, SignUp, SiteState};
use bellwire_auth::SiteAccounts;

/// The built-in options. Apps can add more.
#[derive(Debug, Args)]
pub(crate) struct Seed {
    /// Seeds the site although other people use it
    #[arg(long)]
    yes: bool,
}

pub(crate) async fn run(command: Seed, options: SeedOptions, site: Builder) -> anyhow::Result<()> {
    let (site, apps) = state_of(site).await?;
    let done = seed_site(&command, &options, &site, &apps).await;
    site.db().close().await;
    done
}

async fn seed_site(
    command: &Seed,
    options: &SeedOptions,
    site: &SiteState,
    apps: &[App],
) -> anyhow::Result<()> {
    if !command.yes {
        require_unused_site(site).await?;
    }
    let mut progress = Progress::on_terminal();
    let people = seed::people(site, &mut progress).await?;
    seed::apps(site, apps, &people, &mut progress, options).await?;
    let name = people.first().map(|person| &*person.name).unwrap_or_default();
    print_summary(site, apps, name, people.len()).await
}

/// Refuses to seed a site that other people use, so that it does not happen by mistake.
async fn require_unused_site(site: &SiteState) -> anyhow::Result<()> {
    let others =
        site.accounts().everyone().await?.iter().filter(|person| !is_seeded(person)).count();
    if others > 1 {
        bail!(
            "{others} people have an account here; nothing was changed. To add demo people and \
             their messages anyway, use `bellwire seed --yes`."
        );
    }
    if site.settings().sign_up != SignUp::Open {
        bail!(
            "sign-up is not open here (BELLWIRE_SIGNUP), but the password of the demo people is \
             public; nothing was changed. To create them anyway, use `bellwire seed --yes`."
        );
    }
    Ok(())
}

async fn print_summary(
    site: &SiteState,
    apps: &[App],
    name: &str,
    count: usize,
) -> anyhow::Result<()> {
    let address = site.public_url().as_str();
    let items = apps.iter().filter(|app| seed::has_seed(app)).flat_map(App::all::<NavItem>);
    let seeded: Vec<_> = items.map(|item| site.public_url().absolute(item.path)).collect();
    if let [others @ .., last] = &*seeded {
        let others = others.iter().map(|other| format!("{other}, ")).collect::<String>();
        print_line(format_args!("Demo data was added at {others}{last}"));
    }
    if !site
        .accounts()
        .has_administrator()
        .await
        .map_err(|error| anyhow::anyhow!(error.for_log()))?
    {
        print_line(format_args!(
            "Create your own account at {address}/accounts/first/ – it will be the administrator."
        ));
    }
    print_line(format_args!(
        "Or sign in at {address}/accounts/login/ as `{name}`, or any other of the {count} demo \
         people, with the password `{PASSWORD}`."
    ));
    Ok(())
}
