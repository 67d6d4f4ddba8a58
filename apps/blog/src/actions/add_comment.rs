//! Adds a comment to an article.

use std::net::IpAddr;

use bellwire_site::bellwire::IdempotencyKey;
use bellwire_site::{SiteState, Tx, User};

use crate::forms::{AuthorName, CommentText};
use crate::models::article::feed_of;
use crate::models::comment::{Comment, NewComment, WriteOutcome};
use crate::rate_limit::COMMENTS;
use crate::{BlogError, fragments};

/// The fields of a new comment, as submitted.
#[derive(Debug, Clone, Default, serde::Deserialize)]
pub struct CommentInput {
    /// The author's name.
    pub author: String,
    /// The text.
    pub content: String,
    /// The id of the article.
    #[serde(deserialize_with = "bellwire_site::bellwire::serde::lenient_int")]
    pub post_id: i64,
    /// The idempotency key, chosen by the client: a repeated send with it adds no second comment.
    #[serde(default)]
    pub client_id: Option<String>,
}

/// Stores the comment. When this returns, it is committed and published to every reader of the
/// article.
///
/// # Errors
/// An invalid name or text, [`BlogError::NoArticle`], an exceeded rate limit, or a database error.
pub(crate) async fn add_comment(
    site: &SiteState,
    by: Option<&User>,
    from: Option<IpAddr>,
    input: &CommentInput,
) -> Result<WriteOutcome, BlogError> {
    let new = NewComment {
        article_id: input.post_id,
        author: AuthorName::parse(&input.author)?,
        author_id: by.map(|user| user.id),
        content: CommentText::parse(&input.content)?,
        client_id: IdempotencyKey::parse(input.client_id.as_deref())?,
        at: site.clock().date(),
    };
    // Checked before the rate limit: a send that is repeated because its answer was lost is not
    // counted again.
    let existing =
        Comment::sent_before(site.db().read(), new.article_id, new.client_id.as_ref()).await?;
    if let Some(existing) = existing {
        return Ok(WriteOutcome::Existing(existing));
    }
    site.count(&COMMENTS, by.map(|user| user.id), from)?;
    let layer = site.bellwire().layer().clone();
    site.db()
        .write(async move |tx: Tx| {
            let outcome = Comment::write(&tx, new).await?;
            if let WriteOutcome::New(comment) = &outcome {
                // Rendered before the commit, so that nothing can fail after it. Published in the
                // order of the commits.
                let (seq, patch) = (comment.seq.cast_unsigned(), fragments::new_comment(comment)?);
                let feed = layer.group::<()>(feed_of(comment.article_id));
                tx.on_commit(move || feed.publish(seq, patch));
            }
            Ok(outcome)
        })
        .await
}
