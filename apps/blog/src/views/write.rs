//! HTTP handlers for staff: drafts, and the form of an article.

use askama::Template;
use axum::Form;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use bellwire_site::bellwire::Html;
use bellwire_site::markup::Text;
use bellwire_site::{AppError, Field, Page, SiteError, SiteState, User};

use super::require_staff;
use crate::BlogError;
use crate::actions;
use crate::forms::{ArticleText, Title};
use crate::models::article::{ArticleInput, path_of};
use crate::models::{Article, Headline};
use crate::pages::{self, DRAFTS, Teaser, WRITE};

/// The most drafts in the list.
const MAX_DRAFTS: u64 = 200;

#[derive(Template)]
#[template(path = "blog/pages/_drafts.html")]
struct DraftsPage {
    drafts: Vec<Teaser>,
}

/// The page with the form of an article.
#[derive(Template, Default)]
#[template(path = "blog/pages/_write.html")]
struct WritePage {
    /// The address that the form is sent to.
    action: String,
    /// The path of the article that is edited.
    path: Option<String>,
    is_published: bool,
    version: i64,
    title: Field,
    content: Field,
    error: Option<String>,
    preview: Option<Html>,
}

/// The fields of the form, and the button that was pressed.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub(crate) struct SubmittedArticle {
    title: String,
    content: String,
    version: String,
    #[serde(rename = "do")]
    button: String,
}

/// `GET /blog/drafts/`
pub(crate) async fn drafts(user: User, State(site): State<SiteState>) -> Result<Page, SiteError> {
    let user = require_staff(user)?;
    let drafts = Headline::drafts(site.db().read(), MAX_DRAFTS).await?;
    let main = DraftsPage { drafts: drafts.iter().map(|draft| Teaser::of(draft, 0)).collect() };
    Ok(pages::page("Drafts", &main, Some(&user), DRAFTS)?)
}

/// `GET /blog/write/`
pub(crate) async fn write(user: User) -> Result<Page, SiteError> {
    let user = require_staff(user)?;
    Ok(WritePage { action: WRITE.to_owned(), ..WritePage::default() }.page(&user)?)
}

/// `POST /blog/write/`
pub(crate) async fn send_new(
    user: User,
    State(site): State<SiteState>,
    Form(fields): Form<SubmittedArticle>,
) -> Result<Response, SiteError> {
    let user = require_staff(user)?;
    let page = WritePage { action: WRITE.to_owned(), ..WritePage::of(&fields) };
    match parse(&site, &fields) {
        Ok(Submission::Preview(html)) => Ok(page.with_preview(html).page(&user)?.into_response()),
        Ok(Submission::Save(input)) => match actions::write_article(&site, &user, input).await {
            Ok(row) => Ok(Redirect::to(&path_of(&row.slug)).into_response()),
            Err(error) => page.with_error(error)?.unprocessable(&user),
        },
        Err(error) => page.with_error(error)?.unprocessable(&user),
    }
}

/// `GET /blog/article/<slug>/edit/`
pub(crate) async fn edit(
    user: User,
    Path(slug): Path<String>,
    State(site): State<SiteState>,
) -> Result<Page, SiteError> {
    let user = require_staff(user)?;
    let article = Article::by_slug(site.db().read(), &slug).await?.ok_or(SiteError::NotFound)?;
    let page = WritePage {
        title: Field::typed(&*article.row.title),
        content: Field::typed(&*article.row.content),
        ..WritePage::default()
    };
    Ok(page.for_article(&article).page(&user)?)
}

/// `POST /blog/article/<slug>/edit/`
pub(crate) async fn send_edited(
    user: User,
    Path(slug): Path<String>,
    State(site): State<SiteState>,
    Form(fields): Form<SubmittedArticle>,
) -> Result<Response, SiteError> {
    let user = require_staff(user)?;
    let article = Article::by_slug(site.db().read(), &slug).await?.ok_or(SiteError::NotFound)?;
    let version = fields.version.parse().unwrap_or_default();
    let mut page = WritePage::of(&fields).for_article(&article);
    match parse(&site, &fields) {
        Ok(Submission::Preview(html)) => {
            page.version = version; // a preview stays an edit of the version it started from
            Ok(page.with_preview(html).page(&user)?.into_response())
        }
        Ok(Submission::Save(input)) => {
            match actions::save_article(&site, &user, article.row.id, version, input).await {
                Ok(row) => Ok(Redirect::to(&path_of(&row.slug)).into_response()),
                Err(error) => page.with_error(error)?.unprocessable(&user),
            }
        }
        Err(error) => {
            page.version = version;
            page.with_error(error)?.unprocessable(&user)
        }
    }
}

/// A valid submission, by button.
enum Submission {
    Preview(Html),
    Save(ArticleInput),
}

fn parse(site: &SiteState, fields: &SubmittedArticle) -> Result<Submission, BlogError> {
    let (title, content) = (Title::parse(&fields.title)?, ArticleText::parse(&fields.content)?);
    let input = |is_published| ArticleInput {
        title: title.clone(),
        content: content.clone(),
        is_published,
        at: site.clock().date(),
    };
    match &*fields.button {
        "publish" => Ok(Submission::Save(input(true))),
        "draft" => Ok(Submission::Save(input(false))),
        // Any other value is a preview, so that nothing is published by mistake.
        _ => Ok(Submission::Preview(Text::article(content.as_str()).html())),
    }
}

impl WritePage {
    fn of(fields: &SubmittedArticle) -> Self {
        Self {
            title: Field::typed(&*fields.title),
            content: Field::typed(&*fields.content),
            ..Self::default()
        }
    }

    fn for_article(self, article: &Article) -> Self {
        let path = article.path();
        Self {
            action: format!("{path}edit/"),
            path: Some(path),
            is_published: article.row.published_at.is_some(),
            version: article.row.version,
            ..self
        }
    }

    fn with_preview(self, html: Html) -> Self {
        Self { preview: Some(html), ..self }
    }

    /// Shows a validation error beside its field. Other errors are returned.
    fn with_error(mut self, error: BlogError) -> Result<Self, BlogError> {
        let BlogError::AppError(AppError::Invalid(invalid)) = error else { return Err(error) };
        match invalid.field.as_deref() {
            Some("title") => self.title.wrong(invalid.message),
            Some("content") => self.content.wrong(invalid.message),
            _ => {
                let next_step = "Your text is below. Look at the saved version, \
                                 then save again to replace it with yours.";
                self.error = Some(format!("{} {next_step}", invalid.message));
            }
        }
        Ok(self)
    }

    fn unprocessable(self, user: &User) -> Result<Response, SiteError> {
        Ok(self.page(user)?.status(StatusCode::UNPROCESSABLE_ENTITY).into_response())
    }

    fn page(&self, user: &User) -> Result<Page, BlogError> {
        let (title, current) = if self.path.is_some() { ("Edit", "") } else { ("Write", WRITE) };
        pages::page(title, self, Some(user), current)
    }
}
