//! HTTP handlers of the pages and forms. They all work without JavaScript.

use askama::Template;
use axum::Form;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use bellwire_site::bellwire::{Html, Refusal};
use bellwire_site::{
    Answer, ClientAddress, Field, MaybeUser, Page, Paging, SiteError, SiteState, User,
};
use serde::Deserialize;

use crate::actions::{self, Draft, Edit};
use crate::forms::{MessageText, page_number};
use crate::fragments::{EditForm, list, path_of, title_of};
use crate::models::Message;
use crate::page_cache::PAGE_SIZE;
use crate::{SocialError, Visitor};

/// The description in the page's metadata, for link previews and search engines.
const ABOUT: &str = "Short messages from anyone, newest first. \
                     Read, write and edit them: everyone sees each change at once.";

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

/// The query of the list.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct ListQuery {
    page: Option<String>,
}

/// The fields of the form for a new message. A missing field is reported like an empty one.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct AddFields {
    author: String,
    text: String,
    client_id: Option<String>,
}

/// The fields of the edit form.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct EditFields {
    author: String,
    text: String,
}

/// `GET /social/?page=2`
pub(crate) async fn messages(
    MaybeUser(user): MaybeUser,
    Query(query): Query<ListQuery>,
    State(site): State<SiteState>,
) -> Result<Page, SiteError> {
    let page = page_number(query.page.as_deref()).map_err(|_| SiteError::NotFound)?;
    let author = user.as_ref().map(|user| Field::typed(&*user.name)).unwrap_or_default();
    Ok(messages_page(&site, user, page, author, Field::default()).await?)
}

/// `POST /social/`
pub(crate) async fn add_message(
    MaybeUser(user): MaybeUser,
    address: ClientAddress,
    answer: Answer,
    State(site): State<SiteState>,
    Form(form): Form<AddFields>,
) -> Result<Response, SiteError> {
    let visitor = Visitor::of_page(user.clone(), address);
    let AddFields { author, text, client_id } = form;
    let draft = Draft { author: author.clone(), text: text.clone(), client_id };
    let refusal = match actions::add_message(&site, &visitor, draft).await {
        Ok(message) => {
            let path = format!("/social/#message--{}", message.id);
            return Ok(answer.ok(Redirect::to(&path)));
        }
        Err(error) => refusal_of(error)?,
    };
    // The errors of both fields are shown at once.
    let (mut author, mut text) = (Field::typed(author), Field::typed(text));
    if let Err(error) = visitor.author(&author.value) {
        author.wrong(error.message);
    }
    if let Err(error) = MessageText::parse(&text.value) {
        text.wrong(error.message);
    }
    if author.error.is_none() {
        text.wrong(refusal.message);
    }
    let page = messages_page(&site, user, 1, author, text).await?;
    Ok(page.status(refusal.status).into_response())
}

/// `GET /social/messages/<id>/`: the edit form of a message.
pub(crate) async fn edit_page(
    MaybeUser(user): MaybeUser,
    Path(id): Path<i64>,
    State(site): State<SiteState>,
) -> Result<Page, SiteError> {
    let message = find_editable(&site, user.as_ref(), id).await?;
    Ok(form_page(&EditForm::of(&message, page_of(&site, id).await?))?)
}

/// `POST /social/messages/<id>/`
pub(crate) async fn update_message(
    MaybeUser(user): MaybeUser,
    address: ClientAddress,
    answer: Answer,
    Path(id): Path<i64>,
    State(site): State<SiteState>,
    Form(form): Form<EditFields>,
) -> Result<Response, SiteError> {
    let visitor = Visitor::of_page(user.clone(), address);
    let (author, text) = (Field::typed(&*form.author), Field::typed(&*form.text));
    let edit = Edit { id, author: form.author, text: form.text };
    let page = page_of(&site, id).await?;
    let refusal = match actions::update_message(&site, &visitor, edit).await {
        Ok(_) => {
            let path = format!("{}#message--{id}", path_of(page));
            return Ok(answer.ok(Redirect::to(&path)));
        }
        Err(error) => refusal_of(error)?,
    };
    let message = find_editable(&site, user.as_ref(), id).await?;
    let mut form = EditForm { author, text, ..EditForm::of(&message, page) };
    let is_author = refusal.field.as_deref() == Some("author");
    if is_author { &mut form.author } else { &mut form.text }.wrong(refusal.message);
    Ok(form_page(&form)?.status(refusal.status).into_response())
}

/// `POST /social/messages/<id>/delete/`
pub(crate) async fn delete_message(
    MaybeUser(user): MaybeUser,
    address: ClientAddress,
    answer: Answer,
    Path(id): Path<i64>,
    State(site): State<SiteState>,
) -> Result<Response, SiteError> {
    let page = page_of(&site, id).await?;
    actions::delete_message(&site, &Visitor::of_page(user, address), id).await?;
    Ok(answer.ok(Redirect::to(&path_of(page))))
}

/// The refusal of a form that is shown again with its text, because the input is invalid.
///
/// # Errors
/// Any other error, which is a page of its own.
fn refusal_of(error: SocialError) -> Result<Refusal, SiteError> {
    match SiteError::from(error) {
        SiteError::Refused(refusal) if refusal.status == StatusCode::UNPROCESSABLE_ENTITY => {
            Ok(refusal)
        }
        error => Err(error),
    }
}

async fn messages_page(
    site: &SiteState,
    user: Option<User>,
    page: u64,
    author: Field,
    text: Field,
) -> Result<Page, SocialError> {
    let db = site.db().read();
    let paging = Paging::of(page, Message::count(db).await?, PAGE_SIZE);
    let messages = Message::newest(db, paging.skipped(), PAGE_SIZE).await?;
    let list = list(&messages, paging, paging.page(), user.as_ref())?;
    let (is_signed_in, is_admin) = (user.is_some(), user.is_some_and(|user| user.is_admin));
    let main = Html::from_template(&MessagesPage { list, author, text, is_signed_in, is_admin })?;
    Ok(social_page(title_of(paging.page()), main)
        .description(ABOUT)
        .connect("/ws/social-network/")
        .head(Html::trusted(links(site, paging))))
}

/// The `<link>` elements for the canonical, previous and next page, for crawlers and browsers.
fn links(site: &SiteState, paging: Paging) -> String {
    let link = |rel: &str, page: u64| {
        let address = site.public_url().absolute(&path_of(page));
        format!("<link rel=\"{rel}\" href=\"{}\">", Html::text(&address))
    };
    let neighbours = [("prev", paging.previous()), ("next", paging.next())];
    let neighbours = neighbours.iter().filter_map(|(rel, page)| page.map(|page| link(rel, page)));
    [link("canonical", paging.page())].into_iter().chain(neighbours).collect()
}

fn form_page(form: &EditForm) -> Result<Page, SocialError> {
    let form = Html::from_template(form)?;
    Ok(social_page("Edit a message".to_owned(), Html::from_template(&EditPage { form })?))
}

fn social_page(title: String, main: Html) -> Page {
    Page::new(title, main).style("social/social.css").script("social/social_controller.js")
}

async fn find_editable(
    site: &SiteState,
    user: Option<&User>,
    id: i64,
) -> Result<Message, SocialError> {
    let message = Message::find(site.db().read(), id).await?;
    if message.may_be_edited_by(user) { Ok(message) } else { Err(SocialError::NotYours) }
}

/// The number of the page that contains a message.
async fn page_of(site: &SiteState, id: i64) -> Result<u64, SocialError> {
    Ok(Message::newer_than(site.db().read(), id).await? / PAGE_SIZE + 1)
}
