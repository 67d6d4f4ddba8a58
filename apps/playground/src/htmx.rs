//! A minimal chat in unmodified htmx with its own WebSocket extension, in versions 2 and 4.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use askama::Template;
use axum::Router;
use axum::extract::{Form, Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::{Html as Body, IntoResponse, Redirect, Response};
use axum::routing::get;
use bellwire_site::bellwire::rate::Quota;
use bellwire_site::bellwire::{
    Action, CatchUp, Consumer, Dialect, Error, Feed, FeedSource, Html, NoEvents, Patch, Refusal,
    Seq, Socket, Topic,
};
use bellwire_site::markup::shows;
use bellwire_site::{Budget, ClientAddress, Live, SiteError, SiteState};
use serde::Deserialize;

/// The groups of the rooms, by their index.
const ROOM: Topic<usize> = Topic::new("playground.htmx");

/// The rooms: the name in addresses, and the displayed name.
const ROOMS: [(&str, &str); 3] = [("garden", "Garden"), ("kitchen", "Kitchen"), ("attic", "Attic")];

/// The messages that a room keeps for later visitors. They are lost when the process stops.
const HISTORY: usize = 50;

/// The longest message, in characters.
const MAX_CHARS: usize = 500;

/// The rate limit for messages, per address.
const MESSAGES: Budget =
    Budget::new("playground.htmx", Quota::at_most(60, Duration::from_secs(60)));

pub(crate) fn routes() -> Router<SiteState> {
    Router::new()
        .route("/htmx/", get(show).post(post))
        .route("/htmx/4/", get(show).post(post))
        .route("/ws/htmx/", get(live))
}

/// The history of all rooms of a site.
#[derive(Default)]
struct Rooms {
    histories: [Mutex<History>; ROOMS.len()],
}

/// The last messages of a room, numbered, and the number of the last one.
#[derive(Default)]
struct History {
    lines: VecDeque<(Seq, String)>,
    last: Seq,
}

/// The reason why a message was not sent.
#[derive(Debug, Refusal)]
enum MessageError {
    #[refusal("Please type something.", field = "chat_message")]
    Empty,
    #[refusal("A message has at most {MAX_CHARS} characters.", field = "chat_message")]
    TooLong,
    #[refusal(other)]
    Other(SiteError),
}

/// A room of a site.
#[derive(Clone)]
struct Room {
    site: SiteState,
    index: usize,
}

impl Room {
    /// The room with this name. An empty name is the first room.
    fn named(site: &SiteState, name: &str) -> Option<Self> {
        let index =
            if name.is_empty() { 0 } else { ROOMS.iter().position(|(known, _)| *known == name)? };
        Some(Self { site: site.clone(), index })
    }

    /// The feed of the room's messages.
    fn feed(&self) -> Feed<NoEvents, Self> {
        self.site.bellwire().layer().feed(ROOM.of(self.index), self.clone())
    }

    /// Calls `f` with the history under its lock.
    fn history<T>(&self, f: impl FnOnce(&mut History) -> T) -> T {
        let rooms = self.site.own::<Rooms>();
        f(&mut rooms.histories[self.index].lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Sends a message to all members and adds it to the history.
    fn send(&self, from: IpAddr, input: &str) -> Result<(), MessageError> {
        let text = crate::visible(input);
        if !shows(&text) {
            return Err(MessageError::Empty);
        }
        if text.chars().count() > MAX_CHARS {
            return Err(MessageError::TooLong);
        }
        self.site.count(&MESSAGES, None, Some(from))?;
        self.history(|history| {
            let line = (history.last + 1, text);
            let patch = Patch::append("#content", html([&line])?);
            history.last = line.0;
            history.lines.push_back(line);
            if history.lines.len() > HISTORY {
                history.lines.pop_front();
            }
            // Under the lock, so that messages are published in the order of their numbers.
            self.feed().publish(history.last, patch);
            Ok(())
        })
    }
}

impl FeedSource for Room {
    /// Replaces the page's messages with the history, since a page in unmodified htmx sends no
    /// position. htmx 4 closes its socket while the tab is hidden, so it may be out of date.
    async fn catch_up(&self, _: Option<Seq>, _: &str) -> Result<CatchUp, Error> {
        self.history(|history| {
            let lines = html(&history.lines)?;
            let patches = match history.lines.is_empty() {
                true => Vec::new(),
                false => vec![Patch::inner("#content", lines)],
            };
            Ok(CatchUp { patches, seq: history.last })
        })
    }
}

#[derive(Template)]
#[template(path = "playground/htmx/_messages.html")]
struct Lines<'a> {
    lines: Vec<&'a (Seq, String)>,
}

fn html<'a>(lines: impl IntoIterator<Item = &'a (Seq, String)>) -> Result<Html, askama::Error> {
    Html::from_template(&Lines { lines: lines.into_iter().collect() })
}

/// The version of htmx. The two differ in the attributes that open and use a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Version {
    Two,
    Four,
}

impl Version {
    fn of(uri: &Uri) -> Self {
        if uri.path() == Self::Four.path() { Self::Four } else { Self::Two }
    }

    fn path(self) -> &'static str {
        match self {
            Self::Two => "/htmx/",
            Self::Four => "/htmx/4/",
        }
    }

    fn connect(self) -> &'static str {
        match self {
            Self::Two => "ws-connect",
            Self::Four => "hx-ws:connect",
        }
    }

    fn send(self) -> &'static str {
        match self {
            Self::Two => "ws-send",
            Self::Four => "hx-ws:send",
        }
    }
}

/// The window of a room, as htmx swaps it in. Its markup opens the room's socket.
#[derive(Template)]
#[template(path = "playground/htmx/_chat_window.html")]
struct Window<'a> {
    version: Version,
    room: (&'a str, &'a str),
    lines: Html,
    input: &'a str,
    error: &'a str,
}

/// The complete page. It does not use the site's layout, which loads bellwire.js and its own
/// htmx.
#[derive(Template)]
#[template(path = "playground/htmx/page.html")]
struct HtmxPage<'a> {
    version: Version,
    build: &'a str,
    rooms: &'a [(&'a str, &'a str)],
    window: Window<'a>,
}

fn window<'a>(
    room: &Room,
    version: Version,
    input: &'a str,
    error: &'a str,
) -> Result<Window<'a>, SiteError> {
    let lines = room.history(|history| html(&history.lines))?;
    Ok(Window { version, room: ROOMS[room.index], lines, input, error })
}

fn page(room: &Room, version: Version, input: &str, error: &str) -> Result<Response, SiteError> {
    let window = window(room, version, input, error)?;
    let page = HtmxPage { version, build: room.site.build(), rooms: &ROOMS, window };
    let headers = [(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"))];
    Ok((headers, Body(page.render()?)).into_response())
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Params {
    room: String,
    /// The message, without JavaScript only: htmx sends messages over the socket.
    chat_message: Option<String>,
}

async fn show(
    State(site): State<SiteState>,
    uri: Uri,
    Query(params): Query<Params>,
) -> Result<Response, SiteError> {
    let room = Room::named(&site, &params.room).ok_or(SiteError::NotFound)?;
    page(&room, Version::of(&uri), "", "")
}

/// Chooses a room, and sends a message if there is one. htmx receives the window of the room, and
/// other clients are redirected to it.
async fn post(
    State(site): State<SiteState>,
    address: ClientAddress,
    uri: Uri,
    headers: HeaderMap,
    Form(params): Form<Params>,
) -> Result<Response, SiteError> {
    let room = Room::named(&site, &params.room).ok_or(SiteError::NotFound)?;
    let version = Version::of(&uri);
    let path = format!("{}?room={}", version.path(), ROOMS[room.index].0);
    if let Some(input) = params.chat_message {
        match room.send(address.network(), &input).map_err(Error::from) {
            Ok(()) => {}
            Err(Error::Refused(Refusal { field: Some(_), message, .. })) => {
                let page = page(&room, version, &input, &message)?;
                return Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response());
            }
            Err(error) => return Err(error.into()),
        }
    }
    if !headers.contains_key("hx-request") {
        return Ok(Redirect::to(&path).into_response());
    }
    let push = HeaderValue::try_from(path).map_err(SiteError::internal)?;
    Ok(([("hx-push-url", push)], Body(window(&room, version, "", "")?.render()?)).into_response())
}

/// The action of the chat: a bare form, as htmx sends it.
#[derive(Action)]
enum ChatAction {
    #[action(form)]
    #[serde(rename = "chat message")]
    Send { chat_message: String },
}

async fn live(
    State(site): State<SiteState>,
    Query(params): Query<Params>,
    address: ClientAddress,
    live: Live,
) -> Result<Response, SiteError> {
    let room = Room::named(&site, &params.room).ok_or(SiteError::NotFound)?;
    Ok(live.dialect(Dialect::Htmx).run(ChatConsumer { room, from: address.network() }))
}

struct ChatConsumer {
    room: Room,
    from: IpAddr,
}

impl Consumer for ChatConsumer {
    type Action = ChatAction;
    type Event = ();
    type Error = MessageError;

    async fn connect(&mut self, socket: &mut Socket<Self>) -> Result<(), MessageError> {
        socket.follow(&self.room.feed());
        Ok(())
    }

    async fn receive(
        &mut self,
        _: &mut Socket<Self>,
        ChatAction::Send { chat_message }: ChatAction,
    ) -> Result<(), MessageError> {
        self.room.send(self.from, &chat_message)
    }
}
