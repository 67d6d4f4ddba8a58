//! The pages with the forms for signing in and up: validation and error texts.

use std::time::Duration;

use askama::Template;
use axum::http::StatusCode;
use bellwire_web::bellwire::Html;
use bellwire_web::wait::in_words;

use super::forms::{NewAccount, SignInForm, SignUpForm};
use super::name::{self, Name};
use super::sign_in::SignInError;
use super::sign_up::SignUpError;
use super::users::Taken;
use super::{next, strength};
use crate::{Field, Page, SiteError};

#[derive(Debug, Default, Clone, Template)]
#[template(path = "accounts/login.html")]
pub(super) struct SignInPage {
    pub(super) username: Field,
    pub(super) password: Field,
    pub(super) error: Option<String>,
    pub(super) next: String,
    /// Whether the page links to the sign-up form.
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

    /// An empty form that redirects to `next` afterwards.
    pub(super) fn new(next: &str, is_open: bool) -> Self {
        Self { next: next::within_site(next).unwrap_or_default(), is_open, ..Self::default() }
    }

    /// The form with the submitted values. Passwords are never sent back.
    pub(super) fn of(form: &SignInForm, is_open: bool) -> Self {
        let mut page = Self::new(&form.next, is_open);
        page.username = Field::typed(&*form.username);
        if form.username.trim().is_empty() {
            page.username.wrong("Please type your name or e-mail address.");
        }
        if form.password.is_empty() {
            page.password.wrong("Please type your password.");
        } else if form.password.len() > strength::LONGEST {
            page.password.wrong("The password is too long.");
        }
        page
    }

    /// Adds the error to the form. Returns how long to wait if there were too many attempts.
    pub(super) fn refuse(&mut self, error: SignInError) -> Result<Option<Duration>, SiteError> {
        match error {
            SignInError::Wrong => {
                self.error =
                    Some("There is no account with this name and this password.".to_owned());
                Ok(None)
            }
            SignInError::Error(SiteError::TooMany { retry_after }) => {
                self.error =
                    Some(format!("Too many attempts. Try again in {}.", in_words(retry_after)));
                Ok(Some(retry_after))
            }
            SignInError::Error(error) => Err(error),
        }
    }

    pub(super) fn is_valid(&self) -> bool {
        self.username.error.is_none() && self.password.error.is_none()
    }

    pub(super) fn show(&self, status: StatusCode) -> Result<Page, SiteError> {
        Ok(Page::new(titled("Sign in", status), Html::from_template(self)?)
            .status(status)
            .next(&self.next))
    }
}

impl SignUpPage {
    /// Adds the error to the form. Returns how long to wait if there were too many attempts.
    pub(super) fn refuse(&mut self, error: SignUpError) -> Result<Option<Duration>, SiteError> {
        match error {
            SignUpError::Taken(Taken::Name) => self.username.wrong("This name is taken."),
            SignUpError::Taken(Taken::Email) => {
                self.email.wrong("There is an account with this address already.");
            }
            SignUpError::Weak(reason) => self.password.wrong(reason),
            SignUpError::AdministratorExists => {
                self.error =
                    Some("This site already has an administrator. Please sign up.".to_owned())
            }
            SignUpError::Error(SiteError::TooMany { retry_after }) => {
                let wait = in_words(retry_after);
                self.error =
                    Some(format!("Too many new accounts from your address. Try again in {wait}."));
                return Ok(Some(retry_after));
            }
            SignUpError::Error(error) => return Err(error),
        }
        Ok(None)
    }

    /// An empty form that redirects to `next` afterwards.
    pub(super) fn new(next: &str) -> Self {
        Self { next: next::within_site(next).unwrap_or_default(), ..Self::default() }
    }

    /// Validates the submitted fields.
    ///
    /// # Errors
    /// The page to show again, with an error beside each invalid field.
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
        let title = titled("Create the administrator account", status);
        Ok(Page::new(title, Html::from_template(&page)?).status(status).next(&page.next))
    }
}

/// The page title. It begins with "Error:" if the form has errors, because screen readers read it
/// first.
fn titled(title: &str, status: StatusCode) -> String {
    if status.is_success() { title.to_owned() } else { format!("Error: {title}") }
}

/// Whether the field at `index` has the focus: the first invalid field does, or else the first one.
fn focused<const N: usize>(fields: [&Field; N], index: usize) -> bool {
    fields.iter().position(|field| field.error.is_some()).unwrap_or(0) == index
}
