//! Deletes a message.

use bellwire_site::{SiteState, Tx};

use crate::models::{Changes, Message};
use crate::{SocialError, Visitor, fragments, updates};

/// Deletes the message and notifies the windows that show or edit it.
///
/// # Errors
/// [`SocialError::NotYours`], [`SocialError::NoMessage`], an exceeded rate limit, or a database
/// error.
pub async fn delete_message(site: &SiteState, by: &Visitor, id: i64) -> Result<(), SocialError> {
    by.count_write(site)?;
    let (site_for_update, by, at) = (site.clone(), by.clone(), site.clock().date());
    site.db()
        .write(async move |tx: Tx| {
            Changes::lock(&tx).await?;
            let message = Message::find(&tx, id).await?;
            if !message.may_be_deleted_by(by.user.as_ref()) {
                return Err(SocialError::NotYours);
            }
            message.delete(&tx, at).await?;
            let seq = Changes::next(&tx).await?;
            tx.on_commit(move || {
                let note = fragments::note_deleted(id);
                updates::notify_editors(&site_for_update, id, by.window, note);
                updates::publish(&site_for_update, seq);
            });
            Ok(())
        })
        .await
}
