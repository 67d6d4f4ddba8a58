//! The submitted fields of the forms for signing in and up.

use std::fmt;

use bellwire_web::bellwire::ActionData;
use serde::Deserialize;

use super::name::Name;

/// The submitted fields of the sign-in form.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct SignInForm {
    /// A name or an e-mail address.
    #[serde(alias = "email")]
    pub username: String,
    /// As submitted, without trimming.
    pub password: String,
    /// The path to redirect to afterwards, within this site.
    pub next: String,
}

/// The submitted fields of the sign-up form.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct SignUpForm {
    /// The name that other people see.
    pub username: String,
    /// May be empty.
    pub email: String,
    /// As submitted, without trimming.
    pub password: String,
    /// The password again.
    pub password_confirm: String,
    /// The path to redirect to afterwards, within this site.
    pub next: String,
}

impl ActionData for SignInForm {
    const FIELDS: &'static [&'static str] = &["username", "email", "password", "next"];
}

impl ActionData for SignUpForm {
    const FIELDS: &'static [&'static str] =
        &["username", "email", "password", "password_confirm", "next"];
}

// `Debug` omits passwords, so that they never reach a log.
impl fmt::Debug for SignInForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignInForm").field("username", &self.username).finish_non_exhaustive()
    }
}

impl fmt::Debug for SignUpForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignUpForm").field("username", &self.username).finish_non_exhaustive()
    }
}

/// A validated sign-up form.
pub(super) struct NewAccount {
    pub(super) name: Name,
    pub(super) email: Option<(String, String)>,
    pub(super) password: String,
}
