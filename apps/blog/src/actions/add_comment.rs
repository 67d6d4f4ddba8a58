//! Adds a comment to an article.

use std::net::IpAddr;

use bellwire_site::bellwire::{ActionData, IdempotencyKey, serde::lenient_int};
use bellwire_site::{SiteState, Tx, User};
use serde::Deserialize;

use crate::comment_feed::comment_feed;
use crate::forms::{AuthorName, CommentText};
use crate::models::comment::NewComment;
use crate::models::{Article, Comment};
use crate::rate_limit::COMMENTS;
use crate::{BlogError, fragments};

/// The fields of a new comment, as submitted.
#[derive(Debug, Clone, Default, Deserialize, ActionData)]
pub struct CommentInput {
    /// The author's name.
    pub author: String,
    /// The text.
    pub content: String,
    /// The id of the article.
    #[serde(deserialize_with = "lenient_int")]
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
    input: CommentInput,
) -> Result<Comment, BlogError> {
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
        return Ok(existing);
    }
    site.count(&COMMENTS, by.map(|user| user.id), from)?;
    let (feed, epochs) = (comment_feed(site, new.article_id), site.epochs().clone());
    site.db()
        .write(async move |tx: Tx| {
            // Lock before the lookup: two concurrent sends with one key must add one comment.
            Article::lock_published(&tx, new.article_id).await?;
            let existing =
                Comment::sent_before(&tx, new.article_id, new.client_id.as_ref()).await?;
            if let Some(existing) = existing {
                return Ok(existing);
            }
            let comment = Comment::write(&tx, &epochs, new).await?;
            // Rendered before the commit, so that nothing can fail after it. Published in the order
            // of the commits.
            let (seq, patch) = (comment.seq, fragments::new_comment(&comment)?);
            tx.on_commit(move || feed.publish(seq, patch));
            Ok(comment)
        })
        .await
}
