//! Typed data in, patches out. The only place in the blog that knows selectors.

use askama::Template;
use bellwire_site::bellwire::{Html, Patch};
use bellwire_site::markup::Text;
use chrono::SecondsFormat;

use crate::BlogError;
use crate::models::Comment;
use crate::pages::{List, Paginator, Teasers};

/// The list of articles.
const ARTICLES: &str = "#all-posts";
/// What stands below it.
const PAGINATOR: &str = "#paginator";
/// The comments below an article.
const COMMENTS: &str = "#list-of-comments";

/// A comment as the templates show it: to everyone the same.
pub(crate) struct CommentView {
    pub(crate) id: i64,
    pub(crate) author: String,
    pub(crate) client_id: Option<String>,
    pub(crate) sent_at: String,
    pub(crate) sent_at_text: String,
    pub(crate) html: Html,
}

impl From<&Comment> for CommentView {
    fn from(comment: &Comment) -> Self {
        Self {
            id: comment.id,
            author: comment.author.clone(),
            client_id: comment.client_id.clone(),
            sent_at: comment.created_at.to_rfc3339_opts(SecondsFormat::Secs, true),
            sent_at_text: comment.created_at.format("%-d %B %Y, %H:%M UTC").to_string(),
            html: Text::message(&comment.content).html(),
        }
    }
}

/// A comment for everyone. What staff do with it is added by their browsers.
#[derive(Template)]
#[template(path = "blog/components/_comment.html")]
struct CommentItem {
    comment: CommentView,
    is_staff: bool,
}

fn comment_html(comment: &Comment) -> Result<Html, BlogError> {
    Ok(Html::from_template(&CommentItem { comment: comment.into(), is_staff: false })?)
}

/// A new comment, last in the list.
pub(crate) fn new_comment(comment: &Comment) -> Result<Patch, BlogError> {
    Ok(Patch::append(COMMENTS, comment_html(comment)?))
}

/// A comment is no more.
pub(crate) fn comment_gone(id: i64) -> Patch {
    Patch::remove(format!("#comment--{id}"))
}

/// A comment that changed while somebody was away.
pub(crate) fn changed_comment(comment: &Comment) -> Result<Patch, BlogError> {
    match comment.removed_at {
        Some(_) => Ok(comment_gone(comment.id)),
        None => new_comment(comment),
    }
}

/// The list anew.
pub(crate) fn all_comments(comments: &[Comment]) -> Result<Patch, BlogError> {
    let items = comments.iter().map(comment_html).collect::<Result<Vec<_>, _>>()?;
    let html: String = items.iter().map(Html::as_str).collect();
    Ok(Patch::inner(COMMENTS, Html::trusted(html)))
}

/// The answer to a comment that this page does not show: it was written. Nothing shows; bellwire.js
/// looks for the id.
pub(crate) fn written_elsewhere(comment: &Comment) -> Patch {
    let id = Html::text(comment.client_id.as_deref().unwrap_or_default());
    let mark =
        format!("<span id=\"written--{}\" data-client-id=\"{id}\" hidden></span>", comment.id);
    Patch::append("#main", Html::trusted(mark))
}

/// What was found, instead of what was listed.
pub(crate) fn found(list: &List) -> Result<[Patch; 2], BlogError> {
    let teasers = Html::from_template(&Teasers::of(list))?;
    Ok([Patch::inner(ARTICLES, teasers), paginator(list)?])
}

/// The next articles, below those that are listed.
pub(crate) fn next_articles(list: &List) -> Result<[Patch; 2], BlogError> {
    let teasers = Html::from_template(&Teasers::of(list))?;
    Ok([Patch::append(ARTICLES, teasers), paginator(list)?])
}

fn paginator(list: &List) -> Result<Patch, BlogError> {
    Ok(Patch::inner(PAGINATOR, Html::from_template(&Paginator::of(list))?))
}
