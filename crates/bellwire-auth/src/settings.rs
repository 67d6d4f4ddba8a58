//! The variables of accounts.

use clap::{Args, ValueEnum};

/// The variables of accounts, as arguments of clap.
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
    /// Who may make an account
    #[arg(long = "signup", env = "BELLWIRE_SIGNUP", default_value_t = SignUp::Open, value_enum)]
    pub sign_up: SignUp,
}

/// Who may make an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SignUp {
    /// Everybody.
    Open,
    /// People who were invited. There are no invitations yet, so for now nobody.
    Invite,
    /// Nobody.
    Closed,
}
