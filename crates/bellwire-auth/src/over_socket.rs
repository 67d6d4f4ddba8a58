//! Signing in, up and out where the form travels over a socket.
//!
//! A session begins by HTTP alone. So a form that is right is answered with a ticket, which the
//! page redeems by a POST of its own; and a page that signs out is answered with the form that does
//! so. Both forms send themselves (`self_submit_controller.js`), or by their button.

use std::fmt;

use askama::Template;
use axum::extract::{Form, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use bellwire_web::bellwire::Html;
use bellwire_web::bellwire::rate::network;
use bellwire_web::db::Tx;
use serde::Deserialize;

use super::SiteAccounts;
use super::forms::{Browser, SignInForm, SignInPage, SignUpForm, SignUpPage};
use super::session::Token;
use super::sign_in::{self, SessionStart, go_on};
use super::sign_up;
use super::{Accounts, login_tokens, next};
use crate::{Field, SiteError, SiteState};

/// Begins a session for whoever redeems it, once, within a minute. Only the form of the page that
/// asked for it shows it.
pub struct LoginToken(Token);

impl LoginToken {
    /// The form that redeems it and leads on to `next`, an address of this site.
    ///
    /// # Errors
    /// When the template fails, which it does not.
    pub fn form(&self, next: &str) -> Result<Html, askama::Error> {
        let ticket = self.0.text();
        let form = Leads { action: "/accounts/ticket/", label: "Go on", ticket: &ticket, next };
        Html::from_template(&form)
    }
}

impl fmt::Debug for LoginToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ticket(…)")
    }
}

/// What is wrong with a form, as the pages of accounts have it: what was typed but for passwords,
/// and a sentence beside each field.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Refused {
    /// The name; for signing in a name or an e-mail address.
    pub username: Field,
    /// For signing up.
    pub email: Field,
    /// Never with what was typed.
    pub password: Field,
    /// For signing up.
    pub password_confirm: Field,
    /// What is wrong with the whole.
    pub error: Option<String>,
}

/// Why there is no ticket.
#[derive(Debug)]
pub enum NoTicket {
    /// The form is to be shown again.
    Refused(Box<Refused>),
    /// Anything else.
    Error(SiteError),
}

impl<E: Into<SiteError>> From<E> for NoTicket {
    fn from(error: E) -> Self {
        Self::Error(error.into())
    }
}

impl From<SignInPage> for NoTicket {
    fn from(page: SignInPage) -> Self {
        let SignInPage { username, password, error, .. } = page;
        Self::Refused(Box::new(Refused { username, password, error, ..Refused::default() }))
    }
}

impl From<SignUpPage> for NoTicket {
    fn from(page: SignUpPage) -> Self {
        let SignUpPage { username, email, password, password_confirm, error, .. } = page;
        Self::Refused(Box::new(Refused { username, email, password, password_confirm, error }))
    }
}

impl Accounts {
    /// What the form to sign in does, for one that came over a socket: the same checks, limits and
    /// sentences.
    ///
    /// # Errors
    /// What to show, when it will not do.
    pub async fn sign_in_over_socket(
        &self,
        browser: &Browser,
        form: SignInForm,
    ) -> Result<LoginToken, NoTicket> {
        let mut page = SignInPage::of(&form, self.is_open());
        if !page.is_right() {
            return Err(page.into());
        }
        let token = Token::random().map_err(SiteError::internal)?;
        let ticket = LoginToken(token.clone());
        match sign_in::sign_in(
            self,
            browser.address,
            &form.username,
            form.password,
            SessionStart::LoginToken(token),
        )
        .await
        {
            Ok(()) => Ok(ticket),
            Err(why) => {
                page.refuse(why)?;
                Err(page.into())
            }
        }
    }

    /// What the form to sign up does, for one that came over a socket.
    ///
    /// # Errors
    /// What to show, when it will not do.
    pub async fn sign_up_over_socket(
        &self,
        browser: &Browser,
        form: SignUpForm,
    ) -> Result<LoginToken, NoTicket> {
        self.may_sign_up()?;
        let (wanted, mut page) = SignUpPage::check(form).map_err(|page| *page)?;
        let token = Token::random().map_err(SiteError::internal)?;
        let ticket = LoginToken(token.clone());
        match sign_up::sign_up(
            self,
            browser.address,
            wanted,
            false,
            SessionStart::LoginToken(token),
        )
        .await
        {
            Ok(()) => Ok(ticket),
            Err(why) => {
                page.refuse(why)?;
                Err(page.into())
            }
        }
    }

    /// The form that signs this browser out.
    ///
    /// # Errors
    /// When the template fails, which it does not.
    pub fn sign_out_form(&self) -> Result<Html, askama::Error> {
        Html::from_template(&Leads {
            action: "/accounts/logout/",
            label: "Sign out",
            ticket: "",
            next: "",
        })
    }
}

/// A form that sends itself.
#[derive(Template)]
#[template(path = "accounts/_leads.html")]
struct Leads<'a> {
    action: &'a str,
    label: &'a str,
    ticket: &'a str,
    next: &'a str,
}

/// The form of a ticket.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Redeemed {
    ticket: String,
    next: String,
}

/// Begins the session of a ticket. The one that this browser had before is over, as after any
/// sign-in.
pub(super) async fn redeem(
    State(site): State<SiteState>,
    browser: Browser,
    Form(form): Form<Redeemed>,
) -> Result<Response, SiteError> {
    let session = Token::random().map_err(SiteError::internal)?;
    let cookie = site.accounts().sessions().cookie(&session)?;
    let begun = match Token::parse(&form.ticket) {
        None => false,
        Some(ticket) => begin(site.accounts(), ticket, session, browser).await?,
    };
    if begun {
        return Ok(go_on(&form.next, cookie));
    }
    let next = next::within_site(&form.next).unwrap_or_default();
    let mut page = SignInPage::new(&next, site.accounts().is_open());
    page.error =
        Some("That took too long, or was done already. Please sign in once more.".to_owned());
    Ok(page.show(StatusCode::UNPROCESSABLE_ENTITY)?.into_response())
}

/// Whether the session of this ticket began. A ticket that is none counts like a failed sign-in,
/// and takes no turn of the one who writes.
async fn begin(
    people: &Accounts,
    ticket: Token,
    session: Token,
    browser: Browser,
) -> Result<bool, SiteError> {
    let (accounts, from) = (&people.inner, network(browser.address));
    accounts.strangers.take(&from).map_err(|retry_after| SiteError::TooMany { retry_after })?;
    let begun = take(people, ticket, session, browser).await;
    if !matches!(begun, Ok(false)) {
        accounts.strangers.take_back(&from);
    }
    begun
}

async fn take(
    people: &Accounts,
    ticket: Token,
    session: Token,
    browser: Browser,
) -> Result<bool, SiteError> {
    let (accounts, people) = (&people.inner, people.clone());
    if !login_tokens::is_there(accounts.db.read(), &ticket, accounts.clock.date()).await? {
        return Ok(false);
    }
    let begun = accounts.db.write(async move |tx: Tx| {
        match login_tokens::take(&tx, &ticket, people.inner.clock.date()).await? {
            Some(user) => people.begin(&tx, user.id, &session, browser).await.map(|()| true),
            None => Ok(false),
        }
    });
    begun.await
}
