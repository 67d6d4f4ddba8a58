use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::{Redirect, Response};
use axum::routing::get;
use bellwire::{
    Action, ActionForm, Answer, CatchUp, Consumer, Epochs, Error, Feed, FeedPosition, FeedSource,
    Html, Live, NoEvents, Patch, Refusal, Seq, Socket, Topic,
};
use bellwire_site::{
    App, FeedEpochs, NavItem, Page, Settings, Site, SiteError, SiteState, Tx, User,
};
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

/// The feeds of lines, by the number of their room. There is one room.
const ROOM: Topic<u8> = Topic::new("chat");

#[derive(Action)]
enum ChatAction {
    #[action(form)]
    Say { text: String },
}

#[derive(Debug, Refusal)]
enum ChatError {
    #[refusal("Write something first.", field = "text")]
    Empty,
    #[refusal(other)]
    Other(SiteError),
}

#[derive(Template)]
#[template(
    source = r#"{% for line in lines %}
<li id="line--{{ line.seq }}"><b>{{ line.author }}</b> {{ line.text }}</li>
{%- endfor %}"#,
    ext = "html"
)]
struct LinesHtml<'a> {
    lines: &'a [Model],
}

fn html(lines: &[Model]) -> Result<Html, askama::Error> {
    Html::from_template(&LinesHtml { lines })
}

/// The chat, as the source of its feed.
#[derive(Clone)]
struct Chat {
    site: SiteState,
}

impl Chat {
    fn feed(&self) -> Feed<NoEvents, Chat> {
        self.site.bellwire().layer().feed(ROOM.of(1), self.clone())
    }

    /// The newest hundred lines, in order.
    async fn newest(&self) -> Result<Vec<Model>, DbErr> {
        let newest = Entity::find().order_by_desc(Column::Seq).limit(100);
        let mut lines = newest.all(self.site.db().read()).await?;
        lines.reverse();
        Ok(lines)
    }

    /// Stores a line. When this returns, the line is on disk, and its patch is published.
    async fn say(&self, user: &User, action: ChatAction) -> Result<(), ChatError> {
        let ChatAction::Say { text } = action;
        if text.trim().is_empty() {
            return Err(ChatError::Empty);
        }
        let (chat, author) = (self.clone(), user.name.clone());
        let write = async move |tx: Tx| {
            tx.lock(1).await?; // one writer at a time, so that each number is used once
            let last = Entity::find().order_by_desc(Column::Seq).one(&tx).await?;
            let seq = last.map_or(0, |line| line.seq) + 1;
            chat.site.epochs().note(&tx, ROOM.of(1).name(), seq).await?;
            let line = ActiveModel {
                seq: Set(seq),
                author: Set(author),
                text: Set(text),
                ..Default::default()
            };
            let patch = Patch::append("#lines", html(&[line.insert(&tx).await?])?);
            tx.on_commit(move || chat.feed().publish(seq, patch));
            Ok(())
        };
        self.site.db().write(write).await
    }
}

impl FeedSource for Chat {
    /// Called after a connect, a reconnect, and missed changes.
    async fn catch_up(&self, since: Option<Seq>, _: &str) -> Result<CatchUp, Error> {
        let mut lines = self.newest().await?;
        let seq = lines.last().map_or(0, |line| line.seq);
        // A page that is too far behind receives the whole list.
        let is_near = |since: &Seq| lines.first().is_none_or(|first| first.seq <= since + 1);
        let patch = match since.filter(is_near) {
            Some(since) => {
                lines.retain(|line| line.seq > since);
                Patch::append("#lines", html(&lines)?)
            }
            None => Patch::inner("#lines", html(&lines)?),
        };
        Ok(CatchUp { patches: vec![patch], seq })
    }

    /// The epochs in which the site has written the feed.
    async fn epochs(&self) -> Result<Epochs, Error> {
        Ok(FeedEpochs::of(self.site.db().read(), ROOM.of(1).name()).await?)
    }
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
<ol id="lines" data-feed="chat.1" data-seq="{{ position }}">{{ lines }}</ol>
{{ FORM|safe }}</section>"#,
    ext = "html"
)]
struct ChatPage {
    lines: Html,
    position: FeedPosition,
}

async fn page(_: User, State(site): State<SiteState>) -> Result<Page, SiteError> {
    let chat = Chat { site };
    let lines = chat.newest().await?;
    let position = chat.feed().position(lines.last().map_or(0, |line| line.seq)).await?;
    let main = Html::from_template(&ChatPage { lines: html(&lines)?, position })?;
    Ok(Page::new("Chat", main).connect("/ws/chat/"))
}

/// The form without a socket: stores the line, and shows the page again.
async fn say(
    user: User,
    State(site): State<SiteState>,
    answer: Answer,
    ActionForm(action): ActionForm<ChatAction>,
) -> Result<Response, SiteError> {
    Chat { site }.say(&user, action).await?;
    Ok(answer.ok(Redirect::to("/chat/")))
}

struct ChatConsumer {
    chat: Chat,
    user: User,
}

impl Consumer for ChatConsumer {
    type Action = ChatAction;
    type Event = ();
    type Error = ChatError;

    async fn connect(&mut self, socket: &mut Socket<Self>) -> Result<(), ChatError> {
        socket.follow(&self.chat.feed());
        Ok(())
    }

    async fn receive(
        &mut self,
        socket: &mut Socket<Self>,
        action: ChatAction,
    ) -> Result<(), ChatError> {
        self.chat.say(&self.user, action).await?;
        Ok(socket.patch(Patch::replace("#say", Html::trusted(FORM))).await?)
    }
}

async fn live(user: User, State(site): State<SiteState>, live: Live) -> Response {
    live.run(ChatConsumer { chat: Chat { site }, user })
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let nav_item =
        NavItem { title: "Chat", path: "/chat/", about: "A room that keeps its messages." };
    let routes = Router::new().route("/chat/", get(page).post(say)).route("/ws/chat/", get(live));
    let chat = App::new("chat").router(routes).migrations::<Tables>().nav_item(nav_item);
    let site = Site::builder(Settings::from_environment()?).name("Chat").app(chat).open().await?;
    eprintln!("Open {}/", site.state().public_url().as_str());
    site.run_until(bellwire_site::shutdown_signal()).await;
    Ok(())
}
