use askama::Template;
use axum::Router;
use axum::response::Response;
use axum::routing::get;
use bellwire::{Action, Consumer, Error, Group, GroupName, Html, Layer, Patch, Socket};
use bellwire_site::{App, NavItem, Page, Settings, Site, SiteError, SiteState, Upgrade, User};

/// An action of a page: `{"action": "Say", "data": {"text": "Lunch?"}}`.
#[derive(serde::Deserialize)]
#[serde(tag = "action", content = "data")]
enum ChatAction {
    Say { text: String },
}

impl Action for ChatAction {}

/// The group of all open pages.
fn room(layer: &Layer) -> Group<()> {
    layer.group(GroupName::of("talk", 1))
}

#[derive(Template)]
#[template(source = "<li><b>{{ author }}</b> {{ text }}</li>", ext = "html")]
struct Line<'a> {
    author: &'a str,
    text: &'a str,
}

const FORM: &str = r#"
<form id="say" data-bw-fresh method="post" action="/talk/" bw-send="Say">
  <input class="field__input" name="text" aria-label="Message" autofocus>
  <p class="field__error" id="error--text" role="alert"></p>
  <button class="button">Send</button>
</form>"#;

struct ChatConsumer {
    user: User,
}

impl Consumer for ChatConsumer {
    type Action = ChatAction;
    type Event = ();

    async fn connect(&mut self, socket: &mut Socket) -> Result<(), Error> {
        socket.join(&room(socket.layer()));
        Ok(())
    }

    async fn receive(&mut self, socket: &mut Socket, action: ChatAction) -> Result<(), Error> {
        let ChatAction::Say { text } = action;
        if text.trim().is_empty() {
            return Err(Error::invalid("text", "Write something first."));
        }
        let line = Html::from_template(&Line { author: &self.user.name, text: &text })?;
        room(socket.layer()).patch(Patch::append("#lines", line)); // to the whole group
        // To the sender: an empty form.
        socket.patch(Patch::replace("#say", Html::trusted(FORM))).await
    }
}

async fn page(_: User) -> Page {
    let main =
        format!(r#"<section class="page"><h1>Talk</h1><ol id="lines"></ol>{FORM}</section>"#);
    Page::new("Talk", Html::trusted(main)).connect("/ws/talk/")
}

async fn socket(user: User, upgrade: Upgrade) -> Response {
    upgrade.run(ChatConsumer { user })
}

/// The form without JavaScript, which is not supported yet.
async fn say(_: User) -> SiteError {
    SiteError::Forbidden("This page needs JavaScript.".to_owned())
}

fn routes(_: &SiteState) -> Router<SiteState> {
    Router::new().route("/talk/", get(page).post(say)).route("/ws/talk/", get(socket))
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let nav_item = NavItem { title: "Talk", path: "/talk/", about: "A room for everyone." };
    let talk = App::new("talk").routes(routes).nav_item(nav_item);
    let site = Site::builder(Settings::from_environment()?).name("Talk").app(talk).open().await?;
    eprintln!("Open {}/", site.state().public_url().as_str());
    site.run_until(bellwire_site::shutdown_signal()).await;
    Ok(())
}
