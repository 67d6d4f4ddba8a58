//! HTTP handlers for staff: drafts, and the form of an article.

use askama::Template;
use axum::Form;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use bellwire_site::bellwire::Html;
use bellwire_site::markup::Text;
use bellwire_site::{Field, Page, SiteError, SiteState, User};

use super::{refusal_of, require_staff};
use crate::BlogError;
use crate::actions;
use crate::forms::{ArticleText, Title};
use crate::models::article::{self, ArticleInput, path_of};
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
        Ok(Submission::Save(input)) => {
            page.saved(actions::write_article(&site, &user, input).await, &user)
        }
        Ok(Submission::Preview(html)) => page.previewed(html, &user),
        Err(error) => page.refused(error, &user),
    }
}

/// `GET /blog/article/<slug>/edit/`
pub(crate) async fn edit(
    user: User,
    Path(slug): Path<String>,
    State(site): State<SiteState>,
) -> Result<Page, SiteError> {
    let user = require_staff(user)?;
    let article = Article::by_slug(site.db().read(), &slug).await?.ok_or(BlogError::NoArticle)?;
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
    let article = Article::by_slug(site.db().read(), &slug).await?.ok_or(BlogError::NoArticle)?;
    let version = fields.version.parse().unwrap_or_default();
    let page = WritePage::of(&fields).for_article(&article);
    // Until it is saved, it stays an edit of the version it started from.
    let unsaved = |page| WritePage { version, ..page };
    match parse(&site, &fields) {
        Ok(Submission::Save(input)) => {
            let id = article.row.id;
            page.saved(actions::save_article(&site, &user, id, version, input).await, &user)
        }
        Ok(Submission::Preview(html)) => unsaved(page).previewed(html, &user),
        Err(error) => unsaved(page).refused(error, &user),
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

    /// Leads to the saved article, or shows the form again.
    fn saved(
        self,
        saved: Result<article::Model, BlogError>,
        user: &User,
    ) -> Result<Response, SiteError> {
        match saved {
            Ok(row) => Ok(Redirect::to(&path_of(&row.slug)).into_response()),
            Err(error) => self.refused(error, user),
        }
    }

    fn previewed(self, html: Html, user: &User) -> Result<Response, SiteError> {
        Ok(Self { preview: Some(html), ..self }.page(user)?.into_response())
    }

    /// Shows the form again, with the error beside its field.
    fn refused(mut self, error: BlogError, user: &User) -> Result<Response, SiteError> {
        let refusal = refusal_of(error)?;
        match refusal.field.as_deref() {
            Some("title") => self.title.wrong(refusal.message),
            Some("content") => self.content.wrong(refusal.message),
            _ => {
                let next_step = "Your text is below. Look at the saved version, \
                                 then save again to replace it with yours.";
                self.error = Some(format!("{} {next_step}", refusal.message));
            }
        }
        Ok(self.page(user)?.status(refusal.status).into_response())
    }

    fn page(&self, user: &User) -> Result<Page, BlogError> {
        let (title, current) = if self.path.is_some() { ("Edit", "") } else { ("Write", WRITE) };
        pages::page(title, self, Some(user), current)
    }
}
