//! The smallest chat, in unmodified htmx and its own WebSocket extension: version 2, and version 4
//! beside it.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use askama::Template;
use axum::Router;
use axum::extract::{Form, Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::{Html as Body, IntoResponse, Redirect, Response};
use axum::routing::get;
use bellwire_site::bellwire::rate::Quota;
use bellwire_site::bellwire::{
    Action, Consumer, Dialect, Error, Group, GroupName, Html, Layer, Patch, Socket,
};
use bellwire_site::markup::shows;
use bellwire_site::{Budget, ClientAddress, SiteError, SiteState, Upgrade};
use serde::Deserialize;

/// The rooms: a name for addresses, and one for people.
const ROOMS: [(&str, &str); 3] = [("garden", "Garden"), ("kitchen", "Kitchen"), ("attic", "Attic")];

/// How many messages a room remembers, for those who come later. All are gone with the process.
const REMEMBERED: usize = 50;

/// The longest message, in characters.
const LONGEST: usize = 500;

/// How often one address may speak.
const SPOKEN: Budget = Budget::new("playground.htmx", Quota::at_most(60, Duration::from_secs(60)));

pub(crate) fn routes() -> Router<SiteState> {
    Router::new()
        .route("/htmx/", get(show).post(post))
        .route("/htmx/4/", get(show).post(post))
        .route("/ws/htmx/", get(socket))
}

/// All rooms of a site.
#[derive(Default)]
struct Rooms {
    said: [Mutex<Said>; ROOMS.len()],
}

/// What was said in a room lately, and how often ever.
#[derive(Default)]
struct Said {
    lines: VecDeque<(u64, String)>,
    last: u64,
}

/// A room of a site.
#[derive(Clone)]
struct Room {
    site: SiteState,
    index: usize,
}

impl Room {
    /// The room of this name; without a name the first.
    fn named(site: &SiteState, name: &str) -> Option<Self> {
        let index =
            if name.is_empty() { 0 } else { ROOMS.iter().position(|(known, _)| *known == name)? };
        Some(Self { site: site.clone(), index })
    }

    fn members(&self, layer: &Layer) -> Group<()> {
        layer.group(GroupName::of("playground.htmx", i64::try_from(self.index).unwrap_or_default()))
    }

    /// Joins, and returns what was said so far: nothing falls between the two, and nothing is in
    /// both.
    fn enter(&self, socket: &mut Socket) -> Result<Option<Html>, Error> {
        let rooms = self.site.own::<Rooms>();
        let said = lock(&rooms.said[self.index]);
        socket.join(&self.members(socket.layer()));
        if said.lines.is_empty() { Ok(None) } else { Ok(Some(html(said.lines.iter())?)) }
    }

    /// Says something to all who are here.
    fn say(&self, from: IpAddr, typed: &str) -> Result<(), SiteError> {
        let text = crate::visible(typed);
        if !shows(&text) {
            return Err(SiteError::Invalid("Please type something.".to_owned()));
        }
        if text.chars().count() > LONGEST {
            return Err(SiteError::Invalid(format!("A message has at most {LONGEST} characters.")));
        }
        self.site.count(&SPOKEN, None, Some(from))?;
        let rooms = self.site.own::<Rooms>();
        let mut said = lock(&rooms.said[self.index]);
        said.last += 1;
        let line = (said.last, text);
        let patch = Patch::append("#content", html([&line].into_iter())?);
        said.lines.push_back(line);
        if said.lines.len() > REMEMBERED {
            said.lines.pop_front();
        }
        self.members(self.site.bellwire().layer()).patch(patch);
        Ok(())
    }
}

fn lock(said: &Mutex<Said>) -> MutexGuard<'_, Said> {
    said.lock().unwrap_or_else(PoisonError::into_inner)
}

#[derive(Template)]
#[template(path = "playground/htmx/_said.html")]
struct Lines<'a> {
    lines: Vec<&'a (u64, String)>,
}

fn html<'a>(lines: impl Iterator<Item = &'a (u64, String)>) -> Result<Html, askama::Error> {
    Html::from_template(&Lines { lines: lines.collect() })
}

/// The two versions of htmx differ in the words that connect a page.
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

/// A room, as it is swapped in; its content opens its own socket.
#[derive(Template)]
#[template(path = "playground/htmx/_chat_window.html")]
struct Window<'a> {
    version: Version,
    room: (&'a str, &'a str),
    lines: Html,
    typed: &'a str,
    error: &'a str,
}

/// The whole page: a page of its own, since the site's brings bellwire.js and an htmx of its own.
#[derive(Template)]
#[template(path = "playground/htmx/page.html")]
struct Whole<'a> {
    version: Version,
    build: &'a str,
    rooms: &'a [(&'a str, &'a str)],
    window: Window<'a>,
}

fn window<'a>(
    room: &Room,
    version: Version,
    typed: &'a str,
    error: &'a str,
) -> Result<Window<'a>, SiteError> {
    let rooms = room.site.own::<Rooms>();
    let lines = html(lock(&rooms.said[room.index]).lines.iter())?;
    Ok(Window { version, room: ROOMS[room.index], lines, typed, error })
}

fn whole(room: &Room, version: Version, typed: &str, error: &str) -> Result<Response, SiteError> {
    let window = window(room, version, typed, error)?;
    let page = Whole { version, build: room.site.build(), rooms: &ROOMS, window };
    let headers = [(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"))];
    Ok((headers, Body(page.render()?)).into_response())
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Asked {
    room: String,
    /// Only without JavaScript: with it, messages travel over the socket.
    chat_message: Option<String>,
}

async fn show(
    State(site): State<SiteState>,
    uri: Uri,
    Query(asked): Query<Asked>,
) -> Result<Response, SiteError> {
    let room = Room::named(&site, &asked.room).ok_or(SiteError::NotFound)?;
    whole(&room, Version::of(&uri), "", "")
}

/// Somebody chooses a room: htmx swaps its window in, and anybody else is led there.
async fn post(
    State(site): State<SiteState>,
    address: ClientAddress,
    uri: Uri,
    headers: HeaderMap,
    Form(asked): Form<Asked>,
) -> Result<Response, SiteError> {
    let room = Room::named(&site, &asked.room).ok_or(SiteError::NotFound)?;
    let version = Version::of(&uri);
    let here = format!("{}?room={}", version.path(), ROOMS[room.index].0);
    if let Some(typed) = asked.chat_message {
        match room.say(address.network(), &typed) {
            Ok(()) => {}
            Err(SiteError::Invalid(error)) => {
                return Ok((
                    StatusCode::UNPROCESSABLE_ENTITY,
                    whole(&room, version, &typed, &error)?,
                )
                    .into_response());
            }
            Err(error) => return Err(error),
        }
    }
    if !headers.contains_key("hx-request") {
        return Ok(Redirect::to(&here).into_response());
    }
    let push = HeaderValue::try_from(here).map_err(SiteError::internal)?;
    Ok(([("hx-push-url", push)], Body(window(&room, version, "", "")?.render()?)).into_response())
}

/// A bare form, as htmx sends it.
#[derive(Deserialize)]
#[serde(tag = "action", content = "data")]
enum Ask {
    #[serde(rename = "chat message")]
    Say { chat_message: String },
}

impl Action for Ask {
    const FORM: Option<&'static str> = Some("chat message");
}

async fn socket(
    State(site): State<SiteState>,
    Query(asked): Query<Asked>,
    address: ClientAddress,
    upgrade: Upgrade,
) -> Result<Response, SiteError> {
    let room = Room::named(&site, &asked.room).ok_or(SiteError::NotFound)?;
    Ok(upgrade.dialect(Dialect::Htmx).run(Guest { room, from: address.network() }))
}

struct Guest {
    room: Room,
    from: IpAddr,
}

impl Guest {
    /// What the page shows becomes what was said: htmx 4 closes its socket while nobody looks at
    /// the tab.
    async fn show(&self, socket: &mut Socket) -> Result<(), Error> {
        match self.room.enter(socket)? {
            Some(lines) => socket.patch(Patch::inner("#content", lines)).await,
            None => Ok(()),
        }
    }
}

impl Consumer for Guest {
    type Action = Ask;
    type Event = ();

    async fn connect(&mut self, socket: &mut Socket) -> Result<(), Error> {
        self.show(socket).await
    }

    async fn receive(
        &mut self,
        _: &mut Socket,
        Ask::Say { chat_message }: Ask,
    ) -> Result<(), Error> {
        self.room.say(self.from, &chat_message).map_err(|error| match error {
            SiteError::Invalid(message) => Error::invalid("chat_message", message),
            error @ SiteError::TooMany { .. } => Error::invalid("chat_message", error.to_string()),
            error => error.over_socket(),
        })
    }

    async fn lagged(&mut self, socket: &mut Socket) -> Result<(), Error> {
        self.show(socket).await
    }
}
