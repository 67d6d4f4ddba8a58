//! Benchmark of room history: sends the same requests in turns to two sites that differ only in the
//! length of one room. The cost should not grow with the length.

use std::fmt;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};

use crate::cpu::Threads;
use crate::site::{self, Data, Site};
use crate::visitor::Visitor;

/// Number of messages in the room of each site.
pub(crate) const SHORT: u64 = 200;
pub(crate) const LONG: u64 = 200_000;
const ROOM: &str = "history";

/// Number of messages on a page, and of missed messages in a catch-up.
const PAGE: usize = 50;
const MISSED: usize = 20;
/// The last message read by one of the two people. In both rooms more messages are unread than are
/// counted.
const LAST_READ: u64 = 50;
const COUNTED: u64 = 100;
/// The event that tells a page how far its person has read.
const READ: &str = "data-bw-event=\"chat:read\"";

/// A word that is frequent in the seeded messages, and one that occurs once.
const OFTEN: &str = "the";
const ONCE: &str = "quokka";

/// The minimum number of requests in a turn.
const MIN_REQUESTS: usize = 3;

/// The measured requests.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Request {
    Page,
    CatchUp,
    UnreadInTheList,
    UnreadOnThePage,
    Older,
    Permalink,
    SearchOften,
    SearchOnce,
}

pub(crate) const REQUESTS: [Request; 8] = [
    Request::Page,
    Request::CatchUp,
    Request::UnreadInTheList,
    Request::UnreadOnThePage,
    Request::Older,
    Request::Permalink,
    Request::SearchOften,
    Request::SearchOnce,
];

impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Page => "page, all read",
            Self::CatchUp => "catch-up of 20 messages, with handshake",
            Self::UnreadInTheList => "list of rooms, 99+ unread",
            Self::UnreadOnThePage => "page, 99+ unread",
            Self::Older => "older page, in the middle",
            Self::Permalink => "permalink to the middle, with redirect",
            Self::SearchOften => "search for a frequent word",
            Self::SearchOnce => "search for a unique word",
        })
    }
}

/// The cost of a request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Figure {
    /// Processor time of the server, user and kernel, in µs.
    pub(crate) cpu: f64,
    /// The median response time, in µs.
    pub(crate) wall: f64,
}

/// The medians of both rooms.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Figures {
    pub(crate) short: Figure,
    pub(crate) long: Figure,
    /// The median of the rounds' own ratios of processor time, long to short.
    pub(crate) ratio: f64,
}

/// Measures both sites in turns: `rounds` rounds with turns of `turn`.
pub(crate) fn interleaved(
    rounds: usize,
    turn: Duration,
) -> anyhow::Result<Vec<(Request, Figures)>> {
    let mut short = Reader::start(SHORT)?;
    let mut long = Reader::start(LONG)?;
    REQUESTS
        .into_iter()
        .map(|request| {
            eprintln!("{request}: {rounds} rounds");
            let mut both = Vec::with_capacity(rounds);
            for _ in 0..rounds {
                both.push((short.turn(request, turn)?, long.turn(request, turn)?));
            }
            Ok((request, medians(&both)))
        })
        .collect::<anyhow::Result<_>>()
        .context("rooms")
}

/// A site and its two visitors.
struct Reader {
    site: Site,
    /// Has read everything.
    current: Visitor,
    /// Has read the beginning.
    behind: Visitor,
    room: Room,
    _data: Data,
}

/// The expected content of the room.
struct Room {
    /// Its id, the epoch of its feed, and the number of its latest change.
    id: u64,
    epoch: String,
    seq: u64,
    /// The newest messages.
    newest: Vec<u64>,
    /// The messages before the one in the middle, and itself.
    before: Vec<u64>,
    middle: u64,
}

impl Reader {
    fn start(messages: u64) -> anyhow::Result<Self> {
        eprintln!("preparing a room of {messages} messages");
        let data = Data::new(&messages.to_string());
        site::seed(&data, ROOM, messages)?;
        let site = Site::start(&data)?;
        let mut current = Visitor::sign_up(&site.address, "Current")?;
        let behind = Visitor::sign_up(&site.address, "Behind")?;
        let response = current.post(&path(""), &format!("message=A+{ONCE}!"))?;
        ensure!(response.status == 303, "the message is rejected: {}", response.text);
        let room = Room::inspect(&mut current, messages)?;
        let action =
            format!(r#"{{"action":"Read","data":{{"room":{},"seq":{LAST_READ}}}}}"#, room.id);
        let path = room.socket_path(room.seq);
        behind.open_socket(&path, Some(&action), |received| received.contains(READ))?;
        Ok(Self { site, current, behind, room, _data: data })
    }

    fn turn(&mut self, request: Request, turn: Duration) -> anyhow::Result<Figure> {
        self.current.reconnect()?;
        self.behind.reconnect()?;
        self.send(request).with_context(|| request.to_string())?;
        let before = Threads::of(self.site.process())?;
        let (start, mut times) = (Instant::now(), Vec::new());
        while start.elapsed() < turn || times.len() < MIN_REQUESTS {
            let sent = Instant::now();
            self.send(request).with_context(|| request.to_string())?;
            times.push(sent.elapsed().as_secs_f64() * 1e6);
        }
        let cpu = Threads::of(self.site.process())?.nanoseconds_since(&before) as f64;
        Ok(Figure { cpu: cpu / 1e3 / times.len() as f64, wall: median(times) })
    }

    /// Sends one request, and checks the response.
    fn send(&mut self, request: Request) -> anyhow::Result<()> {
        let Self { current, behind, room, .. } = self;
        match request {
            Request::Page => {
                let page = current.page(&path(""))?;
                ensure!(messages(&page) == room.newest && page.contains(&last_read(room.seq)));
            }
            Request::CatchUp => {
                let missed = &room.newest[PAGE - MISSED..];
                let newest = format!(" data-seq=\"{}\"", room.position(room.seq));
                let path = room.socket_path(room.seq - MISSED as u64);
                let received = current.open_socket(&path, None, |received| {
                    messages(received).len() >= MISSED && received.contains(&newest)
                })?;
                ensure!(
                    messages(&received) == missed,
                    "missed {missed:?}, but received {:?}",
                    messages(&received)
                );
            }
            Request::UnreadInTheList => {
                let page = behind.page("/chat/")?;
                ensure!(page.contains(&room.unread()));
            }
            Request::UnreadOnThePage => {
                let page = behind.page(&path(""))?;
                ensure!(messages(&page) == room.newest);
                ensure!(page.contains(&room.unread()) && page.contains(&last_read(LAST_READ)));
            }
            Request::Older => {
                let page = current.page(&path(&format!("?before={}", room.seq / 2)))?;
                ensure!(messages(&page) == room.before);
            }
            Request::Permalink => {
                let answer = current.get(&format!("/chat/-/messages/{}/", room.middle))?;
                let location = answer.header("location").context("no redirect")?;
                ensure!(
                    answer.status == 303
                        && location.ends_with(&format!("#message--{}", room.middle))
                );
                let page = current.page(location.split('#').next().unwrap_or_default())?;
                let shown = messages(&page);
                ensure!(
                    shown.len() == PAGE
                        && shown[PAGE / 2] == room.middle
                        && shown[..PAGE / 2] == room.before[PAGE / 2..]
                );
            }
            Request::SearchOften => {
                let page = current.page(&format!("/chat/-/search/?q={OFTEN}"))?;
                ensure!(found(&page) == PAGE, "{} results", found(&page));
            }
            Request::SearchOnce => {
                let page = current.page(&format!("/chat/-/search/?q={ONCE}"))?;
                ensure!(
                    found(&page) == 1
                        && page.contains(&format!("/chat/-/messages/{}/", room.newest[PAGE - 1]))
                );
            }
        }
        Ok(())
    }
}

impl Room {
    fn inspect(visitor: &mut Visitor, messages_before: u64) -> anyhow::Result<Self> {
        let page = visitor.page(&path(""))?;
        let (_, list) = page.split_once("<ol id=\"messages-list\"").context("no messages")?;
        let id = number_after(list, " data-feed=\"chat.room.").context("no feed")?;
        let position = text_after(list, " data-seq=\"").context("no position")?;
        let (epoch, seq) = position.split_once('.').context("a position without an epoch")?;
        let (epoch, seq) = (epoch.to_owned(), seq.parse()?);
        ensure!(seq == messages_before + 1, "{seq} changes instead of {messages_before} + 1");
        let newest = messages(&page);
        let before = messages(&visitor.page(&path(&format!("?before={}", seq / 2)))?);
        let around = messages(&visitor.page(&path(&format!("?at={}", seq / 2)))?);
        ensure!([newest.len(), before.len(), around.len()] == [PAGE; 3], "a page is not full");
        Ok(Self { id, epoch, seq, newest, before, middle: around[PAGE / 2] })
    }

    fn position(&self, seq: u64) -> String {
        format!("{}.{seq}", self.epoch)
    }

    /// The path of the page's socket, with this feed position.
    fn socket_path(&self, seq: u64) -> String {
        format!(
            "/ws/chat/?sidebar=1&at=%2Fchat%2F{ROOM}%2F&dialect=htmx&since=chat.room.{}:{}",
            self.id,
            self.position(seq)
        )
    }

    fn unread(&self) -> String {
        format!("data-room=\"{}\" data-unread=\"{COUNTED}\"", self.id)
    }
}

fn path(query: &str) -> String {
    format!("/chat/{ROOM}/{query}")
}

fn last_read(seq: u64) -> String {
    format!(" data-last-read=\"{seq}\"")
}

/// The ids of the displayed messages, in order.
fn messages(html: &str) -> Vec<u64> {
    html.split(" id=\"message--")
        .skip(1)
        .filter_map(|rest| rest.split('"').next()?.parse().ok())
        .collect()
}

fn found(page: &str) -> usize {
    page.matches("<li class=\"found\">").count()
}

fn number_after(html: &str, mark: &str) -> Option<u64> {
    text_after(html, mark)?.parse().ok()
}

fn text_after<'a>(html: &'a str, mark: &str) -> Option<&'a str> {
    html.split_once(mark)?.1.split('"').next()
}

fn medians(both: &[(Figure, Figure)]) -> Figures {
    let of = |pick: fn(&(Figure, Figure)) -> f64| median(both.iter().map(pick).collect());
    Figures {
        short: Figure { cpu: of(|both| both.0.cpu), wall: of(|both| both.0.wall) },
        long: Figure { cpu: of(|both| both.1.cpu), wall: of(|both| both.1.wall) },
        ratio: of(|(short, long)| long.cpu / short.cpu),
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
