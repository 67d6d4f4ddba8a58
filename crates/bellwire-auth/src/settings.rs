//! The environment variables of the accounts.

use clap::{Args, ValueEnum};

/// The environment variables of the accounts, as clap arguments.
///
/// ```
/// use bellwire_auth::{AuthArgs, SignUp};
/// use clap::{Args, FromArgMatches};
///
/// let command = AuthArgs::augment_args(clap::Command::new("site"));
/// let matches = command.get_matches_from(["site", "--signup=closed"]);
/// assert_eq!(AuthArgs::from_arg_matches(&matches)?.sign_up, SignUp::Closed);
/// # Ok::<(), clap::Error>(())
/// ```
#[derive(Debug, Clone, Args)]
pub struct AuthArgs {
    /// Who may create an account
    #[arg(long = "signup", env = "BELLWIRE_SIGNUP", default_value_t = SignUp::Open, value_enum)]
    pub sign_up: SignUp,
}

/// Who may create an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SignUp {
    /// Everyone.
    Open,
    /// Invited people. Invitations do not exist yet, so currently nobody.
    Invite,
    /// Nobody.
    Closed,
}
