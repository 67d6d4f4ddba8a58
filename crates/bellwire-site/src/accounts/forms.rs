//! The forms of accounts: what is typed, and what is said about it.

use askama::Template;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use bellwire::Html;
use serde::Deserialize;
use std::convert::Infallible;
use std::net::IpAddr;

use super::name::{self, Name};
use super::sessions::Device;
use super::viewer::SignedIn;
use super::{next, password};
use crate::client::ClientAddress;
use crate::{Field, Page, SiteError};

/// The longest description of a browser that is kept, in characters.
const USER_AGENT: usize = 300;

/// What was typed into the form to sign in.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct SignInForm {
    pub(super) username: String,
    pub(super) password: String,
    pub(super) next: String,
}

/// What was typed into the form to sign up.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct SignUpForm {
    pub(super) username: String,
    pub(super) email: String,
    pub(super) password: String,
    pub(super) password_confirm: String,
    pub(super) next: String,
}

/// What an account can be made of: everything in the form is right.
pub(super) struct Wanted {
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
        } else if form.password.len() > password::LONGEST {
            page.password.wrong("That is too long.");
        }
        page
    }

    pub(super) fn is_right(&self) -> bool {
        self.username.error.is_none() && self.password.error.is_none()
    }

    pub(super) fn show(&self, status: StatusCode) -> Result<Page, SiteError> {
        Ok(Page::new(titled("Sign in", status), Html::from_template(self)?).status(status).next(&self.next))
    }
}

impl SignUpPage {
    /// An empty one that leads on to `next`.
    pub(super) fn new(next: &str) -> Self {
        Self { next: next::within_site(next).unwrap_or_default(), ..Self::default() }
    }

    /// Checks what was typed.
    ///
    /// # Errors
    /// The page to show again, with what is wrong beside each field.
    pub(super) fn check(form: SignUpForm) -> Result<(Wanted, Self), Box<Self>> {
        let mut page = Self {
            username: Field::typed(&*form.username),
            email: Field::typed(&*form.email),
            ..Self::new(&form.next)
        };
        let name = Name::new(&form.username).map_err(|error| page.username.wrong(error));
        let email = name::email(&form.email).map_err(|error| page.email.wrong(error));
        let password = password::check(&form.password, &form.username, &form.email);
        let password = password.map_err(|error| page.password.wrong(error));
        if form.password != form.password_confirm {
            page.password_confirm.wrong("The two passwords are not the same.");
        }
        match (name, email, password) {
            (Ok(name), Ok(email), Ok(())) if page.password_confirm.error.is_none() => {
                Ok((Wanted { name, email, password: form.password }, page))
            }
            _ => Err(Box::new(page)),
        }
    }

    pub(super) fn show(&self, status: StatusCode) -> Result<Page, SiteError> {
        Ok(Page::new(titled("Sign up", status), Html::from_template(self)?).status(status).next(&self.next))
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

/// The browser that sends a form: where it is, what it calls itself, and its session so far.
#[derive(Debug)]
pub(super) struct Browser {
    pub(super) address: IpAddr,
    pub(super) device: Device,
    pub(super) session: Option<i64>,
}

impl Browser {
    /// One of a test.
    pub(super) fn for_test() -> Self {
        let address = IpAddr::from([127, 0, 0, 1]);
        let device = Device { user_agent: "a test".to_owned(), address: address.to_string() };
        Self { address, device, session: None }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Browser {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        let address = ClientAddress::of(&parts.extensions);
        let user_agent =
            parts.headers.get(header::USER_AGENT).map(|value| String::from_utf8_lossy(value.as_bytes()));
        let shown = |c: &char| !c.is_control();
        let user_agent = user_agent.unwrap_or_default().chars().filter(shown).take(USER_AGENT).collect();
        let session = parts.extensions.get::<SignedIn>().map(|signed_in| signed_in.user.session());
        Ok(Self { address, device: Device { user_agent, address: address.to_string() }, session })
    }
}
