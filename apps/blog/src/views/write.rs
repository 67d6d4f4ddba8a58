//! Where staff write.

use askama::Template;
use axum::Form;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use bellwire_site::bellwire::Html;
use bellwire_site::markup::Text;
use bellwire_site::{AppError, Field, Page, SiteError, SiteState, User};

use super::staff;
use crate::BlogError;
use crate::actions;
use crate::forms::{ArticleText, Title};
use crate::models::article::{Saved, path_of};
use crate::models::{Article, Headline};
use crate::pages::{self, DRAFTS, Teaser, WRITE};

/// Drafts that are listed at most.
const MOST: u64 = 200;

#[derive(Template)]
#[template(path = "blog/pages/_drafts.html")]
struct DraftsPage {
    drafts: Vec<Teaser>,
}

/// The form, as it is shown.
#[derive(Template, Default)]
#[template(path = "blog/pages/_write.html")]
struct WritePage {
    /// Where it goes.
    action: String,
    /// The article that is edited.
    path: Option<String>,
    is_published: bool,
    version: i64,
    title: Field,
    content: Field,
    error: Option<String>,
    preview: Option<Html>,
}

/// What was typed, and which button was pressed.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub(crate) struct Typed {
    title: String,
    content: String,
    version: String,
    #[serde(rename = "do")]
    wanted: String,
}

/// `GET /blog/drafts/`
pub(crate) async fn drafts(user: User, State(site): State<SiteState>) -> Result<Page, SiteError> {
    let user = staff(user)?;
    let drafts = Headline::drafts(site.db().read(), MOST).await?;
    let main = DraftsPage { drafts: drafts.iter().map(|draft| Teaser::of(draft, 0)).collect() };
    Ok(pages::page("Drafts", &main, Some(&user), DRAFTS)?)
}

/// `GET /blog/write/`
pub(crate) async fn write(user: User) -> Result<Page, SiteError> {
    let user = staff(user)?;
    Ok(WritePage { action: WRITE.to_owned(), ..WritePage::default() }.page(&user)?)
}

/// `POST /blog/write/`
pub(crate) async fn send_new(
    user: User,
    State(site): State<SiteState>,
    Form(typed): Form<Typed>,
) -> Result<Response, SiteError> {
    let user = staff(user)?;
    let page = WritePage { action: WRITE.to_owned(), ..WritePage::of(&typed) };
    match checked(&site, &typed) {
        Ok(Wanted::Preview(html)) => Ok(page.previewed(html).page(&user)?.into_response()),
        Ok(Wanted::Save(saved)) => match actions::write_article(&site, &user, saved).await {
            Ok(row) => Ok(Redirect::to(&path_of(&row.slug)).into_response()),
            Err(error) => page.refused(error)?.again(&user),
        },
        Err(error) => page.refused(error)?.again(&user),
    }
}

/// `GET /blog/article/<slug>/edit/`
pub(crate) async fn edit(
    user: User,
    Path(slug): Path<String>,
    State(site): State<SiteState>,
) -> Result<Page, SiteError> {
    let user = staff(user)?;
    let article = Article::by_slug(site.db().read(), &slug).await?.ok_or(SiteError::NotFound)?;
    let page = WritePage {
        title: Field::typed(&*article.row.title),
        content: Field::typed(&*article.row.content),
        ..WritePage::default()
    };
    Ok(page.about(&article).page(&user)?)
}

/// `POST /blog/article/<slug>/edit/`
pub(crate) async fn send_edited(
    user: User,
    Path(slug): Path<String>,
    State(site): State<SiteState>,
    Form(typed): Form<Typed>,
) -> Result<Response, SiteError> {
    let user = staff(user)?;
    let article = Article::by_slug(site.db().read(), &slug).await?.ok_or(SiteError::NotFound)?;
    let version = typed.version.parse().unwrap_or_default();
    let mut page = WritePage::of(&typed).about(&article);
    match checked(&site, &typed) {
        Ok(Wanted::Preview(html)) => {
            page.version = version; // what is previewed is still an edit of what it was
            Ok(page.previewed(html).page(&user)?.into_response())
        }
        Ok(Wanted::Save(saved)) => {
            match actions::save_article(&site, &user, article.row.id, version, saved).await {
                Ok(row) => Ok(Redirect::to(&path_of(&row.slug)).into_response()),
                Err(error) => page.refused(error)?.again(&user),
            }
        }
        Err(error) => {
            page.version = version;
            page.refused(error)?.again(&user)
        }
    }
}

/// What the button asks for.
enum Wanted {
    Preview(Html),
    Save(Saved),
}

fn checked(site: &SiteState, typed: &Typed) -> Result<Wanted, BlogError> {
    let (title, content) = (Title::parse(&typed.title)?, ArticleText::parse(&typed.content)?);
    let save = |is_published| Saved {
        title: title.clone(),
        content: content.clone(),
        is_published,
        at: site.clock().date(),
    };
    match &*typed.wanted {
        "publish" => Ok(Wanted::Save(save(true))),
        "draft" => Ok(Wanted::Save(save(false))),
        // Whatever else it says, nothing is published by mistake.
        _ => Ok(Wanted::Preview(Text::article(content.as_str()).html())),
    }
}

impl WritePage {
    fn of(typed: &Typed) -> Self {
        Self {
            title: Field::typed(&*typed.title),
            content: Field::typed(&*typed.content),
            ..Self::default()
        }
    }

    fn about(self, article: &Article) -> Self {
        let path = article.path();
        Self {
            action: format!("{path}edit/"),
            path: Some(path),
            is_published: article.row.published_at.is_some(),
            version: article.row.version,
            ..self
        }
    }

    fn previewed(self, html: Html) -> Self {
        Self { preview: Some(html), ..self }
    }

    /// With what is wrong beside its field.
    fn refused(mut self, error: BlogError) -> Result<Self, BlogError> {
        let BlogError::AppError(AppError::Invalid(invalid)) = error else { return Err(error) };
        match invalid.field.as_deref() {
            Some("title") => self.title.wrong(invalid.message),
            Some("content") => self.content.wrong(invalid.message),
            _ => {
                let what = "Your text is below. Look at theirs, then save again to put yours in its place.";
                self.error = Some(format!("{} {what}", invalid.message));
            }
        }
        Ok(self)
    }

    fn again(self, user: &User) -> Result<Response, SiteError> {
        Ok(self.page(user)?.status(StatusCode::UNPROCESSABLE_ENTITY).into_response())
    }

    fn page(&self, user: &User) -> Result<Page, BlogError> {
        let (title, current) = if self.path.is_some() { ("Edit", "") } else { ("Write", WRITE) };
        pages::page(title, self, Some(user), current)
    }
}
