//! Removes a comment. Requires the staff role.

use bellwire_site::accounts::users;
use bellwire_site::{SiteState, Tx, User};

use crate::models::article::feed_of;
use crate::models::comment::Comment;
use crate::{BlogError, fragments};

/// Removes the comment, also from the page of every reader. Removing it again has no effect.
///
/// # Errors
/// [`BlogError::NotStaff`], [`BlogError::NoComment`], or a database error.
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
                    (removed.changed_seq.cast_unsigned(), fragments::comment_removed(removed.id));
                tx.on_commit(move || feed.publish(seq, patch));
            }
            Ok(())
        })
        .await
}
