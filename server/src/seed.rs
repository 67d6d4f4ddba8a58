//! `bellwire seed`: something to see.

use anyhow::{Context, bail};
use bellwire_site::seed::{self, PASSWORD, Progress, is_seeded};
use bellwire_site::{Settings, SignUp, SiteState};
use clap::Args;

use crate::{apps, say};

/// The most messages that a room is filled with.
const MOST: u64 = 10_000_000;

/// How much, and whether it is meant.
#[derive(Debug, Args)]
pub(crate) struct Seed {
    /// Fills the site although others use it.
    #[arg(long)]
    yes: bool,
    /// Brings a room to so many messages, to measure with.
    #[arg(long, requires = "room", value_parser = clap::value_parser!(u64).range(1..=MOST))]
    messages: Option<u64>,
    /// Which room; it is opened if there is none.
    #[arg(long, requires = "messages")]
    room: Option<String>,
}

pub(crate) async fn run(command: Seed, settings: Settings) -> anyhow::Result<()> {
    let site = SiteState::open(settings, &apps()).await?;
    let done = fill(&command, &site).await;
    site.db().close().await;
    done
}

async fn fill(command: &Seed, site: &SiteState) -> anyhow::Result<()> {
    if !command.yes {
        ask_first(site).await?;
    }
    let mut progress = Progress::on_terminal();
    let people = seed::people(site, &mut progress).await?;
    // First, so that a long history comes before the conversation.
    if let (Some(messages), Some(room)) = (command.messages, &command.room) {
        let lengthened = bellwire_chat::seed::lengthen(site, &people, room, messages, &mut progress);
        lengthened.await.with_context(|| format!("cannot fill the room `{room}`"))?;
    }
    seed::apps(site, &apps(), &people, &mut progress).await?;
    let name = people.first().map(|person| &*person.name).unwrap_or_default();
    tell(site, name, people.len()).await
}

/// A site that others use is not filled by a slip of the hand.
async fn ask_first(site: &SiteState) -> anyhow::Result<()> {
    let others = site.accounts().everyone().await?.iter().filter(|person| !is_seeded(person)).count();
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

async fn tell(site: &SiteState, name: &str, count: usize) -> anyhow::Result<()> {
    let address = site.public_url().as_str();
    say(format_args!("There is something to see at {address}/chat/ and {address}/blog/"));
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
