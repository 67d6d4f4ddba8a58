//! Signing in, up and out over a socket.
//!
//! Only an HTTP response can set the session cookie. A valid form is therefore answered with a
//! login token, which the page redeems with a POST; and a page that signs out is answered with the
//! sign-out form. JavaScript submits both forms automatically (`self_submit_controller.js`);
//! without it, their button does.

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
use super::browser::Browser;
use super::form_pages::{SignInPage, SignUpPage};
use super::forms::{SignInForm, SignUpForm};
use super::session::Token;
use super::sign_in::{self, SessionStart, redirect_with_cookie};
use super::sign_up;
use super::{Accounts, login_tokens, next};
use crate::{Field, SiteError, SiteState};

/// A single-use login token: begins a session when it is redeemed within a minute. It appears only
/// in the form sent to the page that signed in.
pub struct LoginToken(Token);

impl LoginToken {
    /// The form that redeems the token and then redirects to `next`, a path of this site.
    ///
    /// # Errors
    /// If the template fails, which it does not.
    pub fn form(&self, next: &str) -> Result<Html, askama::Error> {
        let ticket = self.0.text();
        let form = SelfSubmitForm {
            action: "/accounts/ticket/",
            label: "Continue",
            ticket: &ticket,
            next,
        };
        Html::from_template(&form)
    }
}

impl fmt::Debug for LoginToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LoginToken(…)")
    }
}

/// The errors of a form, as the account pages show them: the submitted values without passwords,
/// and an error text for each invalid field.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct RefusedForm {
    /// The name; for signing in, a name or an e-mail address.
    pub username: Field,
    /// Only for signing up.
    pub email: Field,
    /// The submitted password is never returned.
    pub password: Field,
    /// Only for signing up.
    pub password_confirm: Field,
    /// The error that concerns the form as a whole.
    pub error: Option<String>,
}

/// The reason why there is no login token.
#[derive(Debug)]
pub enum LoginTokenError {
    /// The form has errors: show it again.
    Refused(Box<RefusedForm>),
    /// Anything else.
    Error(SiteError),
}

impl<E: Into<SiteError>> From<E> for LoginTokenError {
    fn from(error: E) -> Self {
        Self::Error(error.into())
    }
}

impl From<SignInPage> for LoginTokenError {
    fn from(page: SignInPage) -> Self {
        let SignInPage { username, password, error, .. } = page;
        Self::Refused(Box::new(RefusedForm { username, password, error, ..RefusedForm::default() }))
    }
}

impl From<SignUpPage> for LoginTokenError {
    fn from(page: SignUpPage) -> Self {
        let SignUpPage { username, email, password, password_confirm, error, .. } = page;
        Self::Refused(Box::new(RefusedForm { username, email, password, password_confirm, error }))
    }
}

impl Accounts {
    /// Signs in with a form that arrived over a socket. Applies the same checks, rate limits and
    /// error texts as the HTTP form.
    ///
    /// # Errors
    /// If the form is refused or the database fails.
    pub async fn sign_in_over_socket(
        &self,
        browser: &Browser,
        form: SignInForm,
    ) -> Result<LoginToken, LoginTokenError> {
        let mut page = SignInPage::of(&form, self.is_open());
        if !page.is_valid() {
            return Err(page.into());
        }
        let token = Token::random().map_err(SiteError::internal)?;
        let login_token = LoginToken(token.clone());
        match sign_in::sign_in(
            self,
            browser.address,
            &form.username,
            form.password,
            SessionStart::LoginToken(token),
        )
        .await
        {
            Ok(()) => Ok(login_token),
            Err(error) => {
                page.refuse(error)?;
                Err(page.into())
            }
        }
    }

    /// Signs up with a form that arrived over a socket. Applies the same checks, rate limits and
    /// error texts as the HTTP form.
    ///
    /// # Errors
    /// If the form is refused or the database fails.
    pub async fn sign_up_over_socket(
        &self,
        browser: &Browser,
        form: SignUpForm,
    ) -> Result<LoginToken, LoginTokenError> {
        self.may_sign_up()?;
        let (new_account, mut page) = SignUpPage::check(form).map_err(|page| *page)?;
        let token = Token::random().map_err(SiteError::internal)?;
        let login_token = LoginToken(token.clone());
        match sign_up::sign_up(
            self,
            browser.address,
            new_account,
            false,
            SessionStart::LoginToken(token),
        )
        .await
        {
            Ok(()) => Ok(login_token),
            Err(error) => {
                page.refuse(error)?;
                Err(page.into())
            }
        }
    }

    /// The form that signs this browser out.
    ///
    /// # Errors
    /// If the template fails, which it does not.
    pub fn sign_out_form(&self) -> Result<Html, askama::Error> {
        Html::from_template(&SelfSubmitForm {
            action: "/accounts/logout/",
            label: "Sign out",
            ticket: "",
            next: "",
        })
    }
}

/// A form that JavaScript submits automatically.
#[derive(Template)]
#[template(path = "accounts/_self_submit.html")]
struct SelfSubmitForm<'a> {
    action: &'a str,
    label: &'a str,
    ticket: &'a str,
    next: &'a str,
}

/// The submitted fields of a login token's form.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct LoginTokenFields {
    ticket: String,
    next: String,
}

/// Redeems a login token and begins its session. As with any sign-in, this browser's previous
/// session ends.
pub(super) async fn redeem(
    State(site): State<SiteState>,
    browser: Browser,
    Form(form): Form<LoginTokenFields>,
) -> Result<Response, SiteError> {
    let session = Token::random().map_err(SiteError::internal)?;
    let cookie = site.accounts().sessions().cookie(&session)?;
    let begun = match Token::parse(&form.ticket) {
        None => false,
        Some(login_token) => redeem_limited(site.accounts(), login_token, session, browser).await?,
    };
    if begun {
        return Ok(redirect_with_cookie(&form.next, cookie));
    }
    let next = next::within_site(&form.next).unwrap_or_default();
    let mut page = SignInPage::new(&next, site.accounts().is_open());
    page.error =
        Some("This sign-in has expired or was already used. Please sign in again.".to_owned());
    Ok(page.show(StatusCode::UNPROCESSABLE_ENTITY)?.into_response())
}

/// Begins the session of a login token, and returns whether it did. An invalid token counts as a
/// failed sign-in and does not occupy the database writer.
async fn redeem_limited(
    accounts: &Accounts,
    login_token: Token,
    session: Token,
    browser: Browser,
) -> Result<bool, SiteError> {
    let (limiter, from) = (&accounts.inner.sign_ins_by_address, network(browser.address));
    limiter.take(&from).map_err(|retry_after| SiteError::TooMany { retry_after })?;
    let begun = redeem_once(accounts, login_token, session, browser).await;
    if !matches!(begun, Ok(false)) {
        limiter.take_back(&from);
    }
    begun
}

async fn redeem_once(
    accounts: &Accounts,
    login_token: Token,
    session: Token,
    browser: Browser,
) -> Result<bool, SiteError> {
    let (inner, accounts) = (&accounts.inner, accounts.clone());
    if !login_tokens::exists(inner.db.read(), &login_token, inner.clock.date()).await? {
        return Ok(false);
    }
    let begun = inner.db.write(async move |tx: Tx| {
        match login_tokens::redeem(&tx, &login_token, accounts.inner.clock.date()).await? {
            Some(user) => accounts.begin(&tx, user.id, &session, browser).await.map(|()| true),
            None => Ok(false),
        }
    });
    begun.await
}
