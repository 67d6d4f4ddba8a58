//! The pages by HTTP. Everything here works without JavaScript.

use askama::Template;
use axum::Form;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use bellwire_site::bellwire::Html;
use bellwire_site::{
    AppError, ClientAddress, Field, MaybeUser, Page, Paging, SiteError, SiteState, User,
};
use serde::Deserialize;

use crate::actions::{self, Draft, Edit};
use crate::board::PAGE;
use crate::forms::{MessageText, page_number};
use crate::fragments::{EditForm, list, path_of, title_of};
use crate::models::Message;
use crate::{SocialError, Visitor};

/// What the whole is, for those who see a link to it.
const ABOUT: &str = "Short messages of anyone, newest first. Read them, write one, mend one: everyone sees it at once.";

#[derive(Template)]
#[template(path = "social/pages/messages.html")]
struct MessagesPage {
    list: Html,
    author: Field,
    text: Field,
    is_signed_in: bool,
    is_admin: bool,
}

#[derive(Template)]
#[template(path = "social/pages/edit.html")]
struct EditPage {
    form: Html,
}

/// Which page is asked for.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Shown {
    page: Option<String>,
}

/// What the form for a new message says. What is missing is explained like anything else that is
/// empty.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Added {
    author: String,
    text: String,
    client_id: Option<String>,
}

/// What the form of a message says.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Edited {
    author: String,
    text: String,
}

/// `GET /social/?page=2`
pub(crate) async fn messages(
    MaybeUser(user): MaybeUser,
    Query(shown): Query<Shown>,
    State(site): State<SiteState>,
) -> Result<Page, SiteError> {
    let page = page_number(shown.page.as_deref()).map_err(|_| SiteError::NotFound)?;
    let author = user.as_ref().map(|user| Field::typed(&*user.name)).unwrap_or_default();
    Ok(messages_page(&site, user, page, author, Field::default()).await?)
}

/// `POST /social/`
pub(crate) async fn add_message(
    MaybeUser(user): MaybeUser,
    address: ClientAddress,
    State(site): State<SiteState>,
    Form(form): Form<Added>,
) -> Result<Response, SiteError> {
    let visitor = Visitor::of_page(user.clone(), address);
    let (mut author, mut text) = (Field::typed(&*form.author), Field::typed(&*form.text));
    let draft = Draft { author: form.author, text: form.text, client_id: form.client_id };
    let wrong_author = visitor.author(&draft.author).err();
    let wrong_text = MessageText::parse(&draft.text).err();
    let error = match actions::add_message(&site, &visitor, draft).await {
        Ok(message) => {
            return Ok(Redirect::to(&format!("/social/#message--{}", message.id)).into_response());
        }
        Err(SocialError::AppError(AppError::Invalid(invalid))) => invalid.message,
        Err(error) => return Err(error.into()),
    };
    for (field, wrong) in [(&mut author, &wrong_author), (&mut text, &wrong_text)] {
        if let Some(wrong) = wrong {
            field.wrong(&wrong.message);
        }
    }
    if wrong_author.is_none() && wrong_text.is_none() {
        text.wrong(error);
    }
    let page = messages_page(&site, user, 1, author, text).await?;
    Ok(page.status(StatusCode::UNPROCESSABLE_ENTITY).into_response())
}

/// `GET /social/messages/<id>/`: the form that changes a message.
pub(crate) async fn edit_page(
    MaybeUser(user): MaybeUser,
    Path(id): Path<i64>,
    State(site): State<SiteState>,
) -> Result<Page, SiteError> {
    let message = found(&site, user.as_ref(), id).await?;
    Ok(page_of_form(&EditForm::of(&message, page_with(&site, id).await?))?)
}

/// `POST /social/messages/<id>/`
pub(crate) async fn update_message(
    MaybeUser(user): MaybeUser,
    address: ClientAddress,
    Path(id): Path<i64>,
    State(site): State<SiteState>,
    Form(form): Form<Edited>,
) -> Result<Response, SiteError> {
    let visitor = Visitor::of_page(user.clone(), address);
    let edit = Edit { id, author: form.author.clone(), text: form.text.clone(), client_id: None };
    let page = page_with(&site, id).await?;
    match actions::update_message(&site, &visitor, edit).await {
        Ok(_) => Ok(Redirect::to(&format!("{}#message--{id}", path_of(page))).into_response()),
        Err(SocialError::AppError(AppError::Invalid(invalid))) => {
            let message = found(&site, user.as_ref(), id).await?;
            let mut form = EditForm {
                author: Field::typed(form.author),
                text: Field::typed(form.text),
                ..EditForm::of(&message, page)
            };
            let is_author = invalid.field.as_deref() == Some("author");
            if is_author { &mut form.author } else { &mut form.text }.wrong(invalid.message);
            Ok(page_of_form(&form)?.status(StatusCode::UNPROCESSABLE_ENTITY).into_response())
        }
        Err(error) => Err(error.into()),
    }
}

/// `POST /social/messages/<id>/delete/`
pub(crate) async fn delete_message(
    MaybeUser(user): MaybeUser,
    address: ClientAddress,
    Path(id): Path<i64>,
    State(site): State<SiteState>,
) -> Result<Redirect, SiteError> {
    let page = page_with(&site, id).await?;
    actions::delete_message(&site, &Visitor::of_page(user, address), id).await?;
    Ok(Redirect::to(&path_of(page)))
}

async fn messages_page(
    site: &SiteState,
    user: Option<User>,
    page: u64,
    author: Field,
    text: Field,
) -> Result<Page, SocialError> {
    let db = site.db().read();
    let paging = Paging::of(page, Message::count(db).await?, PAGE);
    let messages = Message::newest(db, paging.skipped(), PAGE).await?;
    let list = list(&messages, paging, paging.page(), user.as_ref())?;
    let (is_signed_in, is_admin) = (user.is_some(), user.is_some_and(|user| user.is_admin));
    let main = Html::from_template(&MessagesPage { list, author, text, is_signed_in, is_admin })?;
    Ok(framed(title_of(paging.page()), main)
        .description(ABOUT)
        .connect("/ws/social-network/")
        .head(Html::trusted(links(site, paging))))
}

/// Where this page is, and those beside it, for those who find their way by them.
fn links(site: &SiteState, paging: Paging) -> String {
    let link = |rel: &str, page: u64| {
        let address = site.public_url().absolute(&path_of(page));
        format!("<link rel=\"{rel}\" href=\"{}\">", Html::text(&address))
    };
    let beside = [("prev", paging.previous()), ("next", paging.next())];
    let beside = beside.iter().filter_map(|(rel, page)| page.map(|page| link(rel, page)));
    [link("canonical", paging.page())].into_iter().chain(beside).collect()
}

fn page_of_form(form: &EditForm) -> Result<Page, SocialError> {
    let form = Html::from_template(form)?;
    Ok(framed("Edit a message".to_owned(), Html::from_template(&EditPage { form })?))
}

fn framed(title: String, main: Html) -> Page {
    Page::new(title, main).style("social/social.css").script("social/social_controller.js")
}

async fn found(site: &SiteState, user: Option<&User>, id: i64) -> Result<Message, SocialError> {
    let message = Message::find(site.db().read(), id).await?;
    if message.may_be_edited_by(user) { Ok(message) } else { Err(SocialError::NotYours) }
}

/// The page on which a message stands.
async fn page_with(site: &SiteState, id: i64) -> Result<u64, SocialError> {
    Ok(Message::newer_than(site.db().read(), id).await? / PAGE + 1)
}
