use askama::Template;
use axum::Router;
use axum::extract::{Form, State};
use axum::response::{Redirect, Response};
use axum::routing::get;
use bellwire::{
    Action, CatchUp, Consumer, Error, Group, GroupName, Html, Layer, Patch, Seq, Socket,
};
use bellwire_site::{App, NavItem, Page, Settings, Site, SiteError, SiteState, Tx, Upgrade, User};
use sea_orm::entity::prelude::*;
use sea_orm::{QueryOrder, QuerySelect, Set};
use sea_orm_migration::prelude::{
    DeriveMigrationName, MigrationTrait, MigratorTrait, SchemaManager, Table,
};
use sea_orm_migration::schema::{big_integer_uniq, pk_auto, string, text};

/// A line of the chat. `seq` is its position: 1, 2, 3 …, without gaps.
#[derive(Clone, Debug, DeriveEntityModel)]
#[sea_orm(table_name = "chat_lines")]
pub struct Model {
    #[sea_orm(primary_key)]
    id: i32,
    seq: i64,
    author: String,
    text: String,
}

#[derive(Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

#[derive(DeriveMigrationName)]
struct Lines;

#[async_trait::async_trait]
impl MigrationTrait for Lines {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut lines = Table::create();
        lines.table("chat_lines").col(pk_auto("id")).col(big_integer_uniq("seq"));
        manager.create_table(lines.col(string("author")).col(text("text")).take()).await
    }
}

struct Tables;

#[async_trait::async_trait]
impl MigratorTrait for Tables {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![Box::new(Lines)]
    }

    fn migration_table_name() -> sea_orm::DynIden {
        "chat_migrations".into()
    }
}

#[derive(serde::Deserialize)]
struct NewLine {
    text: String,
}

#[derive(serde::Deserialize)]
#[serde(tag = "action", content = "data")]
enum ChatAction {
    Say(NewLine),
}

impl Action for ChatAction {}

fn feed(layer: &Layer) -> Group<()> {
    layer.group(GroupName::of("chat", 1))
}

#[derive(Template)]
#[template(
    source = r#"<li id="line--{{ row.seq }}"><b>{{ row.author }}</b> {{ row.text }}</li>"#,
    ext = "html"
)]
struct Line<'a> {
    row: &'a Model,
}

fn line_html(row: &Model) -> Result<Html, askama::Error> {
    Html::from_template(&Line { row })
}

fn append_patch(row: &Model) -> Result<Patch, askama::Error> {
    Ok(Patch::append("#lines", line_html(row)?))
}

/// Stores a line. When this returns, the line is on disk, and its patch is published.
async fn write(site: &SiteState, author: String, new: NewLine) -> Result<(), SiteError> {
    let layer = site.bellwire().layer().clone();
    site.db()
        .write(async move |tx: Tx| {
            tx.lock(1).await?; // one writer at a time, so that each number is used once
            let last = Entity::find().order_by_desc(Column::Seq).one(&tx).await?;
            let seq = last.map_or(0, |line| line.seq) + 1;
            let line = ActiveModel {
                seq: Set(seq),
                author: Set(author),
                text: Set(new.text),
                ..Default::default()
            };
            let patch = append_patch(&line.insert(&tx).await?).map_err(SiteError::internal)?;
            tx.on_commit(move || feed(&layer).publish(seq.cast_unsigned(), patch));
            Ok::<_, SiteError>(())
        })
        .await
}

/// The lines after number `since`, at most the newest hundred.
async fn lines(site: &SiteState, since: i64) -> Result<Vec<Model>, DbErr> {
    let newest = Entity::find().filter(Column::Seq.gt(since)).order_by_desc(Column::Seq).limit(100);
    let mut lines = newest.all(site.db().read()).await?;
    lines.reverse();
    Ok(lines)
}

const FORM: &str = r#"
<form id="say" data-bw-fresh method="post" action="/chat/" bw-send="Say">
  <input class="field__input" name="text" aria-label="Message" autofocus>
  <p class="field__error" id="error--text" role="alert"></p>
  <button class="button">Send</button>
</form>"#;

#[derive(Template)]
#[template(
    source = r#"<section class="page"><h1>Chat</h1>
<ol id="lines" data-feed="chat.1" data-seq="{{ seq }}">
{%- for line in lines %}{{ line }}{% endfor -%}
</ol>{{ FORM|safe }}</section>"#,
    ext = "html"
)]
struct ChatPage {
    lines: Vec<Html>,
    seq: i64,
}

async fn page(_: User, State(site): State<SiteState>) -> Result<Page, SiteError> {
    let rows = lines(&site, 0).await?;
    let seq = rows.last().map_or(0, |row| row.seq);
    let lines = rows.iter().map(line_html).collect::<Result<_, _>>()?;
    Ok(Page::new("Chat", Html::from_template(&ChatPage { lines, seq })?).connect("/ws/chat/"))
}

/// The form without JavaScript: stores the line, and shows the page again.
async fn say(
    user: User,
    State(site): State<SiteState>,
    Form(new): Form<NewLine>,
) -> Result<Redirect, SiteError> {
    if !new.text.trim().is_empty() {
        write(&site, user.name, new).await?;
    }
    Ok(Redirect::to("/chat/"))
}

struct ChatConsumer {
    site: SiteState,
    user: User,
}

impl Consumer for ChatConsumer {
    type Action = ChatAction;
    type Event = ();

    async fn connect(&mut self, socket: &mut Socket) -> Result<(), Error> {
        socket.follow(&feed(socket.layer()));
        Ok(())
    }

    async fn receive(&mut self, socket: &mut Socket, action: ChatAction) -> Result<(), Error> {
        let ChatAction::Say(new) = action;
        if new.text.trim().is_empty() {
            return Err(Error::invalid("text", "Write something first."));
        }
        write(&self.site, self.user.name.clone(), new).await?;
        socket.patch(Patch::replace("#say", Html::trusted(FORM))).await
    }

    /// Called after a connect, a reconnect, and missed messages.
    async fn catch_up(
        &mut self,
        _: &mut Socket,
        _: &GroupName,
        since: Option<Seq>,
    ) -> Result<CatchUp, Error> {
        let since = since.unwrap_or_default().cast_signed();
        let missed = lines(&self.site, since).await?;
        let seq = missed.last().map_or(since, |line| line.seq).cast_unsigned();
        let mut patches = missed.iter().map(append_patch).collect::<Result<Vec<_>, _>>()?;
        if missed.first().is_some_and(|line| line.seq != since + 1) {
            // Too far behind: the list is cleared first.
            patches.insert(0, Patch::inner("#lines", Html::text("")));
        }
        Ok(CatchUp { patches, seq })
    }
}

async fn socket(user: User, State(site): State<SiteState>, upgrade: Upgrade) -> Response {
    upgrade.run(ChatConsumer { site, user })
}

fn routes(_: &SiteState) -> Router<SiteState> {
    Router::new().route("/chat/", get(page).post(say)).route("/ws/chat/", get(socket))
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let nav_item =
        NavItem { title: "Chat", path: "/chat/", about: "A room that keeps its messages." };
    let chat = App::new("chat").routes(routes).migrations::<Tables>().nav_item(nav_item);
    let site = Site::builder(Settings::from_environment()?).name("Chat").app(chat).open().await?;
    eprintln!("Open {}/", site.state().public_url().as_str());
    site.run_until(bellwire_site::shutdown_signal()).await;
    Ok(())
}
