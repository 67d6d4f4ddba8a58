//! HTTP handlers of an article and its comments.

use axum::Form;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use bellwire_site::{Answer, ClientAddress, MaybeUser, SiteError, SiteState, User};

use super::{is_staff, refusal_of};
use crate::BlogError;
use crate::actions::{self, CommentInput};
use crate::models::{Article, Comment};
use crate::pages::{ArticlePage, CommentForm};

/// The query of an article: the newest comments, or those before a position.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub(crate) struct ArticleQuery {
    before: String,
}

/// The fields of the comment form.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub(crate) struct SubmittedComment {
    author: String,
    content: String,
    client_id: Option<String>,
}

/// `GET /blog/article/<slug>/`
pub(crate) async fn article(
    user: MaybeUser,
    Path(slug): Path<String>,
    Query(query): Query<ArticleQuery>,
    State(site): State<SiteState>,
) -> Result<Response, SiteError> {
    let article = find(&site, &user, &slug).await?;
    let before = match &*query.before {
        "" => None,
        seq => Some(seq.parse().map_err(|_| SiteError::NotFound)?),
    };
    let page = ArticlePage::load(&site, user.0.as_ref(), article, before).await?;
    Ok(page.page(user.0.as_ref())?.into_response())
}

/// `POST /blog/article/<slug>/`: adds a comment without a socket.
pub(crate) async fn add_comment(
    user: MaybeUser,
    from: ClientAddress,
    answer: Answer,
    Path(slug): Path<String>,
    State(site): State<SiteState>,
    Form(fields): Form<SubmittedComment>,
) -> Result<Response, SiteError> {
    let article = find(&site, &user, &slug).await?;
    let form = CommentForm::typed(&fields.author, &fields.content);
    let SubmittedComment { author, content, client_id } = fields;
    let input = CommentInput { author, content, post_id: article.row.id, client_id };
    let user = user.0.as_ref();
    let refusal = match actions::add_comment(&site, user, Some(from.network()), input).await {
        Ok(comment) => {
            let address = format!("{}#comment--{}", article.path(), comment.id);
            return Ok(answer.ok(Redirect::to(&address)));
        }
        Err(error) => refusal_of(error)?,
    };
    let mut page = ArticlePage::load(&site, user, article, None).await?;
    page.form = form.refused(&refusal);
    let mut response = page.page(user)?.status(refusal.status).into_response();
    refusal.mark(&mut response);
    Ok(response)
}

/// `POST /blog/comment/<id>/remove/`
pub(crate) async fn remove_comment(
    user: User,
    answer: Answer,
    Path(id): Path<i64>,
    State(site): State<SiteState>,
) -> Result<Response, SiteError> {
    actions::remove_comment(&site, &user, id).await?;
    let db = site.db().read();
    let article = Comment::by_id(db, id).await?.article_id;
    let article = Article::by_id(db, article).await?.ok_or(BlogError::NoArticle)?;
    Ok(answer.ok(Redirect::to(&format!("{}#comments", article.path()))))
}

/// The article with this slug, if this reader may see it.
async fn find(site: &SiteState, user: &MaybeUser, slug: &str) -> Result<Article, BlogError> {
    let article = Article::by_slug(site.db().read(), slug).await?;
    article.filter(|article| article.is_for(is_staff(user))).ok_or(BlogError::NoArticle)
}
