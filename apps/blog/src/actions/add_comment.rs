//! Somebody says something below an article.

use std::net::IpAddr;

use bellwire_site::bellwire::IdempotencyKey;
use bellwire_site::{SiteState, Tx, User};

use crate::forms::{AuthorName, CommentText};
use crate::models::article::feed_of;
use crate::models::comment::{Comment, NewComment, Written};
use crate::pace::COMMENTS;
use crate::{BlogError, fragments};

/// What was typed, and where.
#[derive(Debug, Clone, Default, serde::Deserialize)]
pub struct Asked {
    /// The name.
    pub author: String,
    /// The text.
    pub content: String,
    /// Below which article.
    #[serde(deserialize_with = "bellwire_site::bellwire::serde::lenient_int")]
    pub post_id: i64,
    /// An id of the sender's making: a repeated send with it is the same comment.
    #[serde(default)]
    pub client_id: Option<String>,
}

/// Writes the comment; when this returns it is on disk and on its way to everyone who reads the
/// article.
///
/// # Errors
/// What is wrong with name or text, that there is no such article, that they write too much, or why
/// it could not be written.
pub(crate) async fn add_comment(
    site: &SiteState,
    by: Option<&User>,
    from: Option<IpAddr>,
    asked: &Asked,
) -> Result<Written, BlogError> {
    let new = NewComment {
        article_id: asked.post_id,
        author: AuthorName::parse(&asked.author)?,
        author_id: by.map(|user| user.id),
        content: CommentText::parse(&asked.content)?,
        client_id: IdempotencyKey::parse(asked.client_id.as_deref())?,
        at: site.clock().date(),
    };
    // Asked first: a send that is repeated because its answer was lost is no second comment.
    let before =
        Comment::sent_before(site.db().read(), new.article_id, new.client_id.as_ref()).await?;
    if let Some(before) = before {
        return Ok(Written::Before(before));
    }
    site.count(&COMMENTS, by.map(|user| user.id), from)?;
    let layer = site.bellwire().layer().clone();
    site.db()
        .write(async move |tx: Tx| {
            let written = Comment::write(&tx, new).await?;
            if let Written::New(comment) = &written {
                // Made before the commit, so that nothing can fail after it; told in the order of
                // the commits.
                let (seq, patch) = (comment.seq.cast_unsigned(), fragments::new_comment(comment)?);
                let feed = layer.group::<()>(feed_of(comment.article_id));
                tx.on_commit(move || feed.publish(seq, patch));
            }
            Ok(written)
        })
        .await
}
