//! `bellwire user …`: accounts, from the command line and beside a running site.

use std::io::{BufRead, IsTerminal};

use anyhow::{Context, bail};
use clap::Subcommand;

use super::say;
use crate::builder::Builder;
use crate::site::state_of;
use bellwire_auth::{Accounts, Person, SiteAccounts};

/// What the operator does with accounts. A person is known by name or e-mail address. Passwords are
/// asked for on a terminal, and otherwise read as a line from the standard input; they are never
/// arguments, which everyone on the machine can see.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Makes an account; asks for the password.
    Create {
        name: String,
        /// The e-mail address, which one may sign in with too.
        #[arg(long)]
        email: Option<String>,
        /// Makes an administrator.
        #[arg(long)]
        admin: bool,
    },
    /// Sets a new password, which it asks for, and signs the person out everywhere.
    Password { who: String },
    /// Makes somebody an administrator.
    Promote { who: String },
    /// Makes somebody staff: they write articles and remove comments.
    Staff {
        who: String,
        /// Takes the role instead.
        #[arg(long)]
        revoke: bool,
    },
    /// Lets somebody sign in no more, and signs them out everywhere.
    Deactivate { who: String },
    /// Lets somebody sign in again.
    Activate { who: String },
    /// Lists all accounts.
    List,
}

pub(crate) async fn run(command: Command, site: Builder) -> anyhow::Result<()> {
    // Asked first: the database is not kept open while somebody types.
    let password = match command {
        Command::Create { .. } | Command::Password { .. } => password()?,
        _ => String::new(),
    };
    let (site, _) = state_of(site).await?;
    let done = carry_out(command, password, site.accounts()).await;
    site.db().close().await;
    done
}

async fn carry_out(command: Command, password: String, accounts: &Accounts) -> anyhow::Result<()> {
    let (what, person) = match command {
        Command::Create { name, email, admin } => {
            ("is here now", accounts.create(&name, email.as_deref(), password, admin).await?)
        }
        Command::Password { who } => (
            "has a new password, and is signed out everywhere",
            accounts.set_password(&who, password).await?,
        ),
        Command::Promote { who } => ("is an administrator", accounts.promote(&who).await?),
        Command::Staff { who, revoke } => {
            let person = accounts.set_staff(&who, !revoke).await?;
            let is = match (revoke, person.is_admin) {
                (false, _) => "is staff",
                (true, false) => "is not staff any more",
                (true, true) => "has not the role any more, and remains an administrator",
            };
            (is, person)
        }
        Command::Deactivate { who } => (
            "cannot sign in any more, and is signed out everywhere",
            accounts.deactivate(&who).await?,
        ),
        Command::Activate { who } => ("can sign in", accounts.activate(&who).await?),
        Command::List => {
            accounts.everyone().await?.iter().for_each(|person| say(line(person)));
            return Ok(());
        }
    };
    say(format_args!("{} {what}", person.name));
    Ok(())
}

fn line(person: &Person) -> String {
    let Person { id, name, email, is_admin, is_staff, is_active, .. } = person;
    let is = match (is_active, is_admin, is_staff) {
        (false, _, _) => "deactivated",
        (true, true, _) => "administrator",
        (true, false, true) => "staff",
        (true, false, false) => "active",
    };
    format!("{id}\t{name}\t{}\t{is}", email.as_deref().unwrap_or("-"))
}

/// Twice and without an echo from a terminal, as a line from anything else.
fn password() -> anyhow::Result<String> {
    if !std::io::stdin().is_terminal() {
        let mut line = String::new();
        std::io::stdin().lock().read_line(&mut line).context("cannot read the password")?;
        let password = line.trim_end_matches(['\r', '\n']).to_owned();
        if password.is_empty() {
            bail!("there is no password on the standard input");
        }
        return Ok(password);
    }
    let password = rpassword::prompt_password("Password: ").context("cannot read the password")?;
    if rpassword::prompt_password("Again: ").context("cannot read the password")? != password {
        bail!("the two passwords are not the same");
    }
    Ok(password)
}
