//! Renders typed data to patches. The only module of the blog that contains selectors.

use askama::Template;
use bellwire_site::bellwire::{Html, Patch};
use bellwire_site::markup::Text;
use chrono::SecondsFormat;

use crate::BlogError;
use crate::models::Comment;
use crate::pages::{List, Paginator, Teasers};

/// The list of articles.
const ARTICLES: &str = "#all-posts";
/// The pagination below the list.
const PAGINATOR: &str = "#paginator";
/// The comments below an article.
const COMMENTS: &str = "#list-of-comments";

/// A comment, formatted for the templates, the same for everyone.
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

/// The item of a comment, the same for everyone. The browsers of staff add the removal form.
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

/// Confirms a comment on an article that the page does not show. The element is hidden; bellwire.js
/// finds the answer by its `data-client-id`.
pub(crate) fn comment_receipt(comment: &Comment) -> Patch {
    let id = Html::text(comment.client_id.as_deref().unwrap_or_default());
    let mark =
        format!("<span id=\"written--{}\" data-client-id=\"{id}\" hidden></span>", comment.id);
    Patch::append("#main", Html::trusted(mark))
}

/// Replaces the list with search results.
pub(crate) fn search_results(list: &List) -> Result<[Patch; 2], BlogError> {
    let teasers = Html::from_template(&Teasers::of(list))?;
    Ok([Patch::inner(ARTICLES, teasers), paginator(list)?])
}

/// Appends the next articles to the list.
pub(crate) fn next_articles(list: &List) -> Result<[Patch; 2], BlogError> {
    let teasers = Html::from_template(&Teasers::of(list))?;
    Ok([Patch::append(ARTICLES, teasers), paginator(list)?])
}

fn paginator(list: &List) -> Result<Patch, BlogError> {
    Ok(Patch::inner(PAGINATOR, Html::from_template(&Paginator::of(list))?))
}
