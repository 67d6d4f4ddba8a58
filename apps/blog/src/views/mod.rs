//! The first page, by HTTP. Everything here works without JavaScript.

mod article;
mod list;
mod write;

pub(crate) use article::{add_comment, article, remove_comment};
pub(crate) use list::{about, all};
pub(crate) use write::{drafts, edit, send_edited, send_new, write};

use bellwire_site::{MaybeUser, SiteError, User};

/// Whoever is staff, as the session says; everybody else is refused.
fn staff(user: User) -> Result<User, SiteError> {
    match user.is_staff {
        true => Ok(user),
        false => Err(SiteError::Forbidden("Only staff write articles.".to_owned())),
    }
}

fn is_staff(MaybeUser(user): &MaybeUser) -> bool {
    user.as_ref().is_some_and(|user| user.is_staff)
}
