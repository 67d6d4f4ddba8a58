//! Somebody takes a message away.

use bellwire_site::{SiteState, Tx};

use crate::models::{Changes, Message};
use crate::{SocialError, Visitor, fragments, news};

/// Takes the message away.
///
/// # Errors
/// That it is somebody else's or gone, that too much comes from there, or why it could not be
/// written.
pub async fn delete_message(site: &SiteState, by: &Visitor, id: i64) -> Result<(), SocialError> {
    by.writes(site)?;
    let (site_of_news, by, at) = (site.clone(), by.clone(), site.clock().date());
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
                news::tell_editors(&site_of_news, id, by.window, fragments::gone_meanwhile(id));
                news::tell(&site_of_news, seq);
            });
            Ok(())
        })
        .await
}
