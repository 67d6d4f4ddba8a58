//! HTTP handlers of the pages and forms. They all work without JavaScript.

mod article;
mod list;
mod write;

pub(crate) use article::{add_comment, article, remove_comment};
pub(crate) use list::{about, all};
pub(crate) use write::{drafts, edit, send_edited, send_new, write};

use axum::http::StatusCode;
use bellwire_site::bellwire::Refusal;
use bellwire_site::{MaybeUser, SiteError, User};

use crate::BlogError;

/// Requires the staff role, as of the start of the request.
fn require_staff(user: User) -> Result<User, SiteError> {
    match user.is_staff {
        true => Ok(user),
        false => Err(SiteError::Forbidden("Only staff can write articles.".to_owned())),
    }
}

fn is_staff(MaybeUser(user): &MaybeUser) -> bool {
    user.as_ref().is_some_and(|user| user.is_staff)
}

/// The refusal of a form that is shown again with its text: the input is invalid, or the sender too
/// fast.
///
/// # Errors
/// Any other error, which is a page of its own.
fn refusal_of(error: BlogError) -> Result<Refusal, SiteError> {
    match SiteError::from(error) {
        SiteError::Refused(refusal) if refusal.status == StatusCode::UNPROCESSABLE_ENTITY => {
            Ok(refusal)
        }
        SiteError::TooMany { retry_after } => {
            let sentence = SiteError::TooMany { retry_after }.to_string();
            let refusal = Refusal::general(sentence).status(StatusCode::TOO_MANY_REQUESTS);
            Ok(refusal.retry_after(retry_after))
        }
        error => Err(error),
    }
}
