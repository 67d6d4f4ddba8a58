//! HTTP handlers of an article and its comments.

use axum::Form;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use bellwire_site::{AppError, ClientAddress, Field, MaybeUser, SiteError, SiteState, User};

use super::is_staff;
use crate::BlogError;
use crate::actions::{self, CommentInput};
use crate::models::Article;
use crate::models::article::path_of;
use crate::models::comment::{Comment, WriteOutcome};
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
    Path(slug): Path<String>,
    State(site): State<SiteState>,
    Form(fields): Form<SubmittedComment>,
) -> Result<Response, SiteError> {
    let article = find(&site, &user, &slug).await?;
    let input = CommentInput {
        author: fields.author.clone(),
        content: fields.content.clone(),
        post_id: article.row.id,
        client_id: fields.client_id,
    };
    let mut form = CommentForm {
        author: Field::typed(fields.author),
        content: Field::typed(fields.content),
        error: None,
    };
    let outcome = actions::add_comment(&site, user.0.as_ref(), Some(from.network()), &input).await;
    let (status, wait) = match outcome {
        Ok(WriteOutcome::New(comment) | WriteOutcome::Existing(comment)) => {
            let address = format!("{}#comment--{}", article.path(), comment.id);
            return Ok(Redirect::to(&address).into_response());
        }
        Err(BlogError::AppError(AppError::Invalid(invalid))) => {
            match invalid.field.as_deref() {
                Some("author") => form.author.wrong(invalid.message),
                Some("content") => form.content.wrong(invalid.message),
                _ => form.error = Some(invalid.message),
            }
            (StatusCode::UNPROCESSABLE_ENTITY, None)
        }
        Err(BlogError::AppError(AppError::TooOften(limit))) => {
            form.error = Some(SiteError::from(limit).to_string());
            (StatusCode::TOO_MANY_REQUESTS, Some(limit.retry_after.as_secs() + 1))
        }
        Err(error) => return Err(error.into()),
    };
    let mut page = ArticlePage::load(&site, user.0.as_ref(), article, None).await?;
    page.form = form;
    let page = page.page(user.0.as_ref())?.status(status);
    let wait = wait.map(|seconds| [(header::RETRY_AFTER, HeaderValue::from(seconds))]);
    Ok((wait, page).into_response())
}

/// `POST /blog/comment/<id>/remove/`
pub(crate) async fn remove_comment(
    user: User,
    Path(id): Path<i64>,
    State(site): State<SiteState>,
) -> Result<Redirect, SiteError> {
    actions::remove_comment(&site, &user, id).await?;
    let db = site.db().read();
    let comment = Comment::by_id(db, id).await?.ok_or(SiteError::NotFound)?;
    let article = Article::by_id(db, comment.article_id).await?.ok_or(SiteError::NotFound)?;
    Ok(Redirect::to(&format!("{}#comments", path_of(&article.row.slug))))
}

/// The article with this slug, if this reader may see it.
async fn find(site: &SiteState, user: &MaybeUser, slug: &str) -> Result<Article, SiteError> {
    let article = Article::by_slug(site.db().read(), slug).await?;
    article.filter(|article| article.is_for(is_staff(user))).ok_or(SiteError::NotFound)
}
