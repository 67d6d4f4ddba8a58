//! The `bellwire user` commands: manage accounts, also while the site is running.

use std::io::{BufRead, IsTerminal};

use anyhow::{Context, bail};
use clap::Subcommand;

use super::print_line;
use crate::builder::Builder;
use crate::site::state_of;
use bellwire_auth::{Accounts, Person, SiteAccounts};

/// Account commands. A person is given by name or e-mail address. Passwords are prompted for on a
/// terminal, and otherwise read as a line from standard input. They are never arguments, because
/// everyone on the machine can read those.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Creates an account; prompts for the password
    Create {
        name: String,
        /// The e-mail address, also accepted for signing in
        #[arg(long)]
        email: Option<String>,
        /// Makes the account an administrator
        #[arg(long)]
        admin: bool,
    },
    /// Sets a new password, which it prompts for, and signs the person out everywhere
    Password { person: String },
    /// Makes a person an administrator
    Promote { person: String },
    /// Grants the staff role: staff write articles and remove comments
    Staff {
        person: String,
        /// Revokes the role instead
        #[arg(long)]
        revoke: bool,
    },
    /// Prevents a person from signing in, and signs them out everywhere
    Deactivate { person: String },
    /// Allows a person to sign in again
    Activate { person: String },
    /// Lists all accounts
    List,
}

pub(crate) async fn run(command: Command, site: Builder) -> anyhow::Result<()> {
    // Prompts first, so that the database is not kept open while the operator types.
    let password = match command {
        Command::Create { .. } | Command::Password { .. } => password()?,
        _ => String::new(),
    };
    let (site, _) = state_of(site).await?;
    let done = execute(command, password, site.accounts()).await;
    site.db().close().await;
    done
}

async fn execute(command: Command, password: String, accounts: &Accounts) -> anyhow::Result<()> {
    let (result, account) = match command {
        Command::Create { name, email, admin } => {
            ("now has an account", accounts.create(&name, email.as_deref(), password, admin).await?)
        }
        Command::Password { person } => (
            "has a new password, and is signed out everywhere",
            accounts.set_password(&person, password).await?,
        ),
        Command::Promote { person } => ("is an administrator", accounts.promote(&person).await?),
        Command::Staff { person, revoke } => {
            let account = accounts.set_staff(&person, !revoke).await?;
            let role = match (revoke, account.is_admin) {
                (false, _) => "is staff",
                (true, false) => "is no longer staff",
                (true, true) => "is no longer staff, but is still an administrator",
            };
            (role, account)
        }
        Command::Deactivate { person } => (
            "can no longer sign in, and is signed out everywhere",
            accounts.deactivate(&person).await?,
        ),
        Command::Activate { person } => ("can sign in", accounts.activate(&person).await?),
        Command::List => {
            accounts.everyone().await?.iter().for_each(|person| print_line(line(person)));
            return Ok(());
        }
    };
    print_line(format_args!("{} {result}", account.name));
    Ok(())
}

fn line(person: &Person) -> String {
    let Person { id, name, email, is_admin, is_staff, is_active, .. } = person;
    let state = match (is_active, is_admin, is_staff) {
        (false, _, _) => "deactivated",
        (true, true, _) => "administrator",
        (true, false, true) => "staff",
        (true, false, false) => "active",
    };
    format!("{id}\t{name}\t{}\t{state}", email.as_deref().unwrap_or("-"))
}

/// Reads a password: from a terminal twice and without echo, otherwise one line of standard input.
fn password() -> anyhow::Result<String> {
    if !std::io::stdin().is_terminal() {
        let mut line = String::new();
        std::io::stdin().lock().read_line(&mut line).context("cannot read the password")?;
        let password = line.trim_end_matches(['\r', '\n']).to_owned();
        if password.is_empty() {
            bail!("there is no password on standard input. Pass it as one line");
        }
        return Ok(password);
    }
    let password = rpassword::prompt_password("Password: ").context("cannot read the password")?;
    if rpassword::prompt_password("Repeat the password: ").context("cannot read the password")?
        != password
    {
        bail!("the two passwords are not the same");
    }
    Ok(password)
}
