//! Staff take a comment away.

use bellwire_site::accounts::users;
use bellwire_site::{SiteState, Tx, User};

use crate::models::article::feed_of;
use crate::models::comment::Comment;
use crate::{BlogError, fragments};

/// Removes the comment; everyone who reads the article sees it go. Removed twice is removed once.
///
/// # Errors
/// That it is not for them to do, that there is no such comment, or why it could not be written.
pub(crate) async fn remove_comment(site: &SiteState, by: &User, id: i64) -> Result<(), BlogError> {
    let (by, at, layer) = (by.id, site.clock().date(), site.bellwire().layer().clone());
    site.db()
        .write(async move |tx: Tx| {
            if !users::is_staff(&tx, by).await? {
                return Err(BlogError::NotStaff);
            }
            if let Some(removed) = Comment::remove(&tx, id, at).await? {
                let feed = layer.group::<()>(feed_of(removed.article_id));
                let (seq, patch) =
                    (removed.changed_seq.cast_unsigned(), fragments::comment_gone(removed.id));
                tx.on_commit(move || feed.publish(seq, patch));
            }
            Ok(())
        })
        .await
}
