use askama::Template;
use axum::Router;
use axum::response::Response;
use axum::routing::get;
use bellwire::{Action, Consumer, Error, Html, Patch, Socket, Topic};
use bellwire_site::{App, Live, NavItem, Page, Settings, Site, SiteError, User};

/// The groups of open pages, by the number of their room. There is one room.
const ROOM: Topic<u8> = Topic::new("talk");

/// An action of a page: `{"action": "Say", "data": {"text": "Lunch?"}}`.
#[derive(Action)]
enum ChatAction {
    Say { text: String },
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
    type Error = Error;

    async fn connect(&mut self, socket: &mut Socket<Self>) -> Result<(), Error> {
        socket.join(ROOM.of(1));
        Ok(())
    }

    async fn receive(
        &mut self,
        socket: &mut Socket<Self>,
        ChatAction::Say { text }: ChatAction,
    ) -> Result<(), Error> {
        if text.trim().is_empty() {
            return Err(Error::refuse("text", "Write something first."));
        }
        let line = Html::from_template(&Line { author: &self.user.name, text: &text })?;
        // To the whole group.
        socket.layer().group(ROOM.of(1)).patch(Patch::append("#lines", line));
        // To the sender: an empty form.
        socket.patch(Patch::replace("#say", Html::trusted(FORM))).await
    }
}

async fn page(_: User) -> Page {
    let main =
        format!(r#"<section class="page"><h1>Talk</h1><ol id="lines"></ol>{FORM}</section>"#);
    Page::new("Talk", Html::trusted(main)).connect("/ws/talk/")
}

async fn live(user: User, live: Live) -> Response {
    live.run(ChatConsumer { user })
}

/// The form without JavaScript, which is not supported yet.
async fn say(_: User) -> SiteError {
    SiteError::Forbidden("This page needs JavaScript.".to_owned())
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let nav_item = NavItem { title: "Talk", path: "/talk/", about: "A room for everyone." };
    let routes = Router::new().route("/talk/", get(page).post(say)).route("/ws/talk/", get(live));
    let talk = App::new("talk").router(routes).nav_item(nav_item);
    let site = Site::builder(Settings::from_environment()?).name("Talk").app(talk).open().await?;
    eprintln!("Open {}/", site.state().public_url().as_str());
    site.run_until(bellwire_site::shutdown_signal()).await;
    Ok(())
}
