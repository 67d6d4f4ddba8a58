//! The forms of accounts: what is typed, and what is said about it.

use askama::Template;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use bellwire_web::bellwire::{ClientAddress, Html};
use serde::Deserialize;
use std::convert::Infallible;
use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use super::name::{self, Name};
use super::session::{Device, Old, RequestSession};
use super::sign_in::NotSignedIn;
use super::sign_up::NoAccount;
use super::users::Taken;
use super::{next, strength};
use crate::{Field, Page, SiteError};
use bellwire_web::wait::in_words;

/// The longest description of a browser that is kept, in characters.
const USER_AGENT: usize = 300;

/// What was typed into the form to sign in.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct SignInForm {
    /// A name or an e-mail address.
    #[serde(alias = "email")]
    pub username: String,
    /// As it was typed.
    pub password: String,
    /// Where to go on, within this site.
    pub next: String,
}

/// What was typed into the form to sign up.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct SignUpForm {
    /// What others see.
    pub username: String,
    /// May be empty.
    pub email: String,
    /// As it was typed.
    pub password: String,
    /// Once more.
    pub password_confirm: String,
    /// Where to go on, within this site.
    pub next: String,
}

// Passwords are for nobody's log.
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

/// What an account can be made of: everything in the form is right.
pub(super) struct NewAccount {
    pub(super) name: Name,
    pub(super) email: Option<(String, String)>,
    pub(super) password: String,
}

#[derive(Debug, Default, Clone, Template)]
#[template(path = "accounts/login.html")]
pub(super) struct SignInPage {
    pub(super) username: Field,
    pub(super) password: Field,
    pub(super) error: Option<String>,
    pub(super) next: String,
    /// Whether those who have no account may make one.
    pub(super) is_open: bool,
}

#[derive(Debug, Default, Clone, Template)]
#[template(path = "accounts/signup.html")]
pub(super) struct SignUpPage {
    pub(super) username: Field,
    pub(super) email: Field,
    pub(super) password: Field,
    pub(super) password_confirm: Field,
    pub(super) error: Option<String>,
    pub(super) next: String,
}

#[derive(Template)]
#[template(path = "accounts/first.html")]
struct FirstPage {
    username: Field,
    email: Field,
    password: Field,
    password_confirm: Field,
    error: Option<String>,
    next: String,
}

impl FirstPage {
    fn focused(&self, index: usize) -> bool {
        focused([&self.username, &self.email, &self.password, &self.password_confirm], index)
    }
}

impl SignInPage {
    fn focused(&self, index: usize) -> bool {
        focused([&self.username, &self.password], index)
    }

    /// An empty one that leads on to `next`.
    pub(super) fn new(next: &str, is_open: bool) -> Self {
        Self { next: next::within_site(next).unwrap_or_default(), is_open, ..Self::default() }
    }

    /// With what was typed; passwords are never sent back.
    pub(super) fn of(form: &SignInForm, is_open: bool) -> Self {
        let mut page = Self::new(&form.next, is_open);
        page.username = Field::typed(&*form.username);
        if form.username.trim().is_empty() {
            page.username.wrong("Please type your name or e-mail address.");
        }
        if form.password.is_empty() {
            page.password.wrong("Please type your password.");
        } else if form.password.len() > strength::LONGEST {
            page.password.wrong("That is too long.");
        }
        page
    }

    /// Says why nobody was signed in, and how long to wait where it was too often.
    pub(super) fn refuse(&mut self, why: NotSignedIn) -> Result<Option<Duration>, SiteError> {
        match why {
            NotSignedIn::Wrong => {
                self.error =
                    Some("There is no account with this name and this password.".to_owned());
                Ok(None)
            }
            NotSignedIn::Error(SiteError::TooMany { retry_after }) => {
                self.error =
                    Some(format!("Too many attempts. Try again in {}.", in_words(retry_after)));
                Ok(Some(retry_after))
            }
            NotSignedIn::Error(error) => Err(error),
        }
    }

    pub(super) fn is_right(&self) -> bool {
        self.username.error.is_none() && self.password.error.is_none()
    }

    pub(super) fn show(&self, status: StatusCode) -> Result<Page, SiteError> {
        Ok(Page::new(titled("Sign in", status), Html::from_template(self)?)
            .status(status)
            .next(&self.next))
    }
}

impl SignUpPage {
    /// Says why there is no account, and how long to wait where it was too often.
    pub(super) fn refuse(&mut self, why: NoAccount) -> Result<Option<Duration>, SiteError> {
        match why {
            NoAccount::Taken(Taken::Name) => self.username.wrong("This name is taken."),
            NoAccount::Taken(Taken::Email) => {
                self.email.wrong("There is an account with this address already.");
            }
            NoAccount::Weak(why) => self.password.wrong(why),
            NoAccount::NotFirst => {
                self.error = Some("Somebody else was first. Please sign up.".to_owned())
            }
            NoAccount::Error(SiteError::TooMany { retry_after }) => {
                let wait = in_words(retry_after);
                self.error =
                    Some(format!("Too many new accounts from your address. Try again in {wait}."));
                return Ok(Some(retry_after));
            }
            NoAccount::Error(error) => return Err(error),
        }
        Ok(None)
    }

    /// An empty one that leads on to `next`.
    pub(super) fn new(next: &str) -> Self {
        Self { next: next::within_site(next).unwrap_or_default(), ..Self::default() }
    }

    /// Checks what was typed.
    ///
    /// # Errors
    /// The page to show again, with what is wrong beside each field.
    pub(super) fn check(form: SignUpForm) -> Result<(NewAccount, Self), Box<Self>> {
        let mut page = Self {
            username: Field::typed(&*form.username),
            email: Field::typed(&*form.email),
            ..Self::new(&form.next)
        };
        let name = Name::new(&form.username).map_err(|error| page.username.wrong(error));
        let email = name::email(&form.email).map_err(|error| page.email.wrong(error));
        let password =
            strength::check_length(&form.password).map_err(|error| page.password.wrong(error));
        if form.password != form.password_confirm {
            page.password_confirm.wrong("The two passwords are not the same.");
        }
        match (name, email, password) {
            (Ok(name), Ok(email), Ok(())) if page.password_confirm.error.is_none() => {
                Ok((NewAccount { name, email, password: form.password }, page))
            }
            _ => Err(Box::new(page)),
        }
    }

    pub(super) fn show(&self, status: StatusCode) -> Result<Page, SiteError> {
        Ok(Page::new(titled("Sign up", status), Html::from_template(self)?)
            .status(status)
            .next(&self.next))
    }

    fn focused(&self, index: usize) -> bool {
        focused([&self.username, &self.email, &self.password, &self.password_confirm], index)
    }

    pub(super) fn show_first(self, status: StatusCode) -> Result<Page, SiteError> {
        let Self { username, email, password, password_confirm, error, next } = self;
        let page = FirstPage { username, email, password, password_confirm, error, next };
        let title = titled("The first account", status);
        Ok(Page::new(title, Html::from_template(&page)?).status(status).next(&page.next))
    }
}

/// The title of a form, which is heard first, says when there is something wrong with it.
fn titled(title: &str, status: StatusCode) -> String {
    if status.is_success() { title.to_owned() } else { format!("Error: {title}") }
}

/// Which field has the focus: the first that is wrong, or else the first.
fn focused<const N: usize>(fields: [&Field; N], index: usize) -> bool {
    fields.iter().position(|field| field.error.is_some()).unwrap_or(0) == index
}

/// An extractor: the browser that sends a form, or opens a socket: where it is, what it calls
/// itself, and its sessions so far.
#[derive(Debug)]
pub struct Browser {
    pub(super) address: IpAddr,
    pub(super) device: Device,
    pub(super) old: Old,
}

impl<S: Send + Sync> FromRequestParts<S> for Browser {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        let address = ClientAddress::of(&parts.extensions).ip();
        let user_agent = parts
            .headers
            .get(header::USER_AGENT)
            .map(|value| String::from_utf8_lossy(value.as_bytes()));
        let shown = |c: &char| !c.is_control();
        let user_agent =
            user_agent.unwrap_or_default().chars().filter(shown).take(USER_AGENT).collect();
        let old = Old::of(&RequestSession::of(&parts.extensions));
        Ok(Self { address, device: Device { user_agent, address: address.to_string() }, old })
    }
}
