//! HTTP handlers of the pages and forms. They all work without JavaScript.

mod article;
mod list;
mod write;

pub(crate) use article::{add_comment, article, remove_comment};
pub(crate) use list::{about, all};
pub(crate) use write::{drafts, edit, send_edited, send_new, write};

use bellwire_site::{MaybeUser, SiteError, User};

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
