//! Removes a comment. Requires the staff role.

use bellwire_site::accounts::users;
use bellwire_site::{SiteState, Tx, User};

use crate::comment_feed::comment_feed;
use crate::models::Comment;
use crate::{BlogError, fragments};

/// Removes the comment, also from the page of every reader. Removing it again has no effect.
///
/// # Errors
/// [`BlogError::NotStaff`], [`BlogError::NoComment`], or a database error.
pub(crate) async fn remove_comment(site: &SiteState, by: &User, id: i64) -> Result<(), BlogError> {
    let (site, by) = (site.clone(), by.id);
    let db = site.db().clone();
    db.write(async move |tx: Tx| {
        if !users::is_staff(&tx, by).await? {
            return Err(BlogError::NotStaff);
        }
        let removed = Comment::remove(&tx, site.epochs(), id, site.clock().date()).await?;
        if let Some(removed) = removed {
            let feed = comment_feed(&site, removed.article_id);
            let patch = fragments::comment_removed(removed.id);
            tx.on_commit(move || feed.publish(removed.changed_seq, patch));
        }
        Ok(())
    })
    .await
}
