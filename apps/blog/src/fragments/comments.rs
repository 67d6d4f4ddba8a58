//! The comments below an article, the same for everyone.

use askama::Template;
use bellwire_site::bellwire::{Html, Patch};
use bellwire_site::markup::Text;
use chrono::SecondsFormat;

use crate::BlogError;
use crate::models::Comment;

/// The comments below an article.
const COMMENTS: &str = "#list-of-comments";

/// A comment, formatted for the templates.
pub(crate) struct CommentView {
    pub(crate) id: i64,
    pub(crate) author: String,
    pub(crate) sent_at: String,
    pub(crate) sent_at_text: String,
    pub(crate) html: Html,
}

impl From<&Comment> for CommentView {
    fn from(comment: &Comment) -> Self {
        Self {
            id: comment.id,
            author: comment.author.clone(),
            sent_at: comment.created_at.to_rfc3339_opts(SecondsFormat::Secs, true),
            sent_at_text: comment.created_at.format("%-d %B %Y, %H:%M UTC").to_string(),
            html: Text::message(&comment.content).html(),
        }
    }
}

/// The item of a comment. The browsers of staff add the removal form.
#[derive(Template)]
#[template(path = "blog/components/_comment.html")]
struct CommentItem {
    comment: CommentView,
    is_staff: bool,
}

fn comment_html(comment: &Comment) -> Result<Html, BlogError> {
    Ok(Html::from_template(&CommentItem { comment: comment.into(), is_staff: false })?)
}

/// Appends a comment to the list.
pub(crate) fn new_comment(comment: &Comment) -> Result<Patch, BlogError> {
    Ok(Patch::append(COMMENTS, comment_html(comment)?))
}

/// Removes a comment from the list.
pub(crate) fn comment_removed(id: i64) -> Patch {
    Patch::remove(format!("#comment--{id}"))
}

/// Appends or removes a comment that changed while the page was disconnected.
pub(crate) fn changed_comment(comment: &Comment) -> Result<Patch, BlogError> {
    match comment.removed_at {
        Some(_) => Ok(comment_removed(comment.id)),
        None => new_comment(comment),
    }
}

/// Replaces the whole list of comments.
pub(crate) fn all_comments(comments: &[Comment]) -> Result<Patch, BlogError> {
    let items = comments.iter().map(comment_html).collect::<Result<Vec<_>, _>>()?;
    let html: String = items.iter().map(Html::as_str).collect();
    Ok(Patch::inner(COMMENTS, Html::trusted(html)))
}
