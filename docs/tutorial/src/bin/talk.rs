use askama::Template;
use axum::Router;
use axum::response::Response;
use axum::routing::get;
use bellwire::{Action, Consumer, Error, Group, GroupName, Html, Layer, Patch, Socket};
use bellwire_site::{App, NavItem, Page, Settings, Site, SiteError, SiteState, Upgrade, User};

/// What a page may ask: `{"action": "Say", "data": {"text": "Lunch?"}}`.
#[derive(serde::Deserialize)]
#[serde(tag = "action", content = "data")]
enum Ask {
    Say { text: String },
}

impl Action for Ask {}

/// Everybody who has the page open.
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
  <button class="button">Say it</button>
</form>"#;

struct Talker {
    user: User,
}

impl Consumer for Talker {
    type Action = Ask;
    type Event = ();

    async fn connect(&mut self, socket: &mut Socket) -> Result<(), Error> {
        socket.join(&room(socket.layer()));
        Ok(())
    }

    async fn receive(&mut self, socket: &mut Socket, Ask::Say { text }: Ask) -> Result<(), Error> {
        if text.trim().is_empty() {
            return Err(Error::invalid("text", "Write something first."));
        }
        let line = Html::from_template(&Line { author: &self.user.name, text: &text })?;
        room(socket.layer()).patch(Patch::append("#lines", line)); // to everybody
        socket.patch(Patch::replace("#say", Html::trusted(FORM))).await // to the one who asked: an empty form
    }
}

async fn page(_: User) -> Page {
    let main =
        format!(r#"<section class="page"><h1>Talk</h1><ol id="lines"></ol>{FORM}</section>"#);
    Page::new("Talk", Html::trusted(main)).connect("/ws/talk/")
}

async fn socket(user: User, upgrade: Upgrade) -> Response {
    upgrade.run(Talker { user })
}

/// Without JavaScript there is nothing to see here yet.
async fn say(_: User) -> SiteError {
    SiteError::Forbidden("This page needs JavaScript.".to_owned())
}

fn routes(_: &SiteState) -> Router<SiteState> {
    Router::new().route("/talk/", get(page).post(say)).route("/ws/talk/", get(socket))
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let card =
        NavItem { title: "Talk", path: "/talk/", about: "What is said is there for everybody." };
    let talk = App::new("talk").routes(routes).nav_item(card);
    let site = Site::builder(Settings::from_environment()?).name("Talk").app(talk).open().await?;
    eprintln!("Open {}/", site.state().public_url().as_str());
    site.run_until(bellwire_site::shutdown_signal()).await;
    Ok(())
}
