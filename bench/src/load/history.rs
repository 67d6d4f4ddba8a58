//! What a room costs does not grow with its history: two sites that differ in nothing but the
//! length of one room, asked in turns.

use std::fmt;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};

use crate::cpu::Threads;
use crate::site::{self, Data, Site};
use crate::visitor::Visitor;

/// How many messages the room has, here and there.
pub(crate) const SHORT: u64 = 200;
pub(crate) const LONG: u64 = 200_000;
const ROOM: &str = "history";

/// How many messages a page shows, and how many the window missed that catches up.
const PAGE: usize = 50;
const MISSED: usize = 20;
/// How far one of the two people has read. More is unread than is ever counted, in both rooms.
const READ: u64 = 50;
const COUNTED: u64 = 100;

/// A word that the people of the seed say often, and one that is said once.
const OFTEN: &str = "the";
const ONCE: &str = "quokka";

/// The fewest asks of a turn, however long each takes.
const FEWEST: usize = 3;

/// What is asked.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Ask {
    Page,
    CatchUp,
    UnreadInTheList,
    UnreadOnThePage,
    Older,
    Permalink,
    SearchOften,
    SearchOnce,
}

pub(crate) const ASKS: [Ask; 8] = [
    Ask::Page,
    Ask::CatchUp,
    Ask::UnreadInTheList,
    Ask::UnreadOnThePage,
    Ask::Older,
    Ask::Permalink,
    Ask::SearchOften,
    Ask::SearchOnce,
];

impl fmt::Display for Ask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Page => "page, all read",
            Self::CatchUp => "window that missed 20, with its handshake",
            Self::UnreadInTheList => "list of rooms, 99+ unread",
            Self::UnreadOnThePage => "page, 99+ unread",
            Self::Older => "page of what was before the middle",
            Self::Permalink => "permalink to the middle, and where it leads",
            Self::SearchOften => "search for what is said often",
            Self::SearchOnce => "search for what was said once",
        })
    }
}

/// What an ask costs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Figure {
    /// Processor time of the server, user and kernel, in µs.
    pub(crate) cpu: f64,
    /// How long half of the answers take at most, in µs.
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

/// Asks both in turns: so many rounds of `turn` each.
pub(crate) fn interleaved(rounds: usize, turn: Duration) -> anyhow::Result<Vec<(Ask, Figures)>> {
    let mut short = Reader::of(SHORT)?;
    let mut long = Reader::of(LONG)?;
    ASKS.into_iter()
        .map(|ask| {
            eprintln!("{ask}: {rounds} rounds");
            let mut both = Vec::with_capacity(rounds);
            for _ in 0..rounds {
                both.push((short.turn(ask, turn)?, long.turn(ask, turn)?));
            }
            Ok((ask, medians(&both)))
        })
        .collect::<anyhow::Result<_>>()
        .context("rooms")
}

/// One site, and who reads there.
struct Reader {
    site: Site,
    /// Has read everything.
    current: Visitor,
    /// Has read the beginning.
    behind: Visitor,
    room: Room,
    _data: Data,
}

/// What must be found in the room.
struct Room {
    /// Its number, and the number of its latest change.
    id: u64,
    seq: u64,
    /// The newest messages.
    newest: Vec<u64>,
    /// The messages before the one in the middle, and itself.
    before: Vec<u64>,
    middle: u64,
}

impl Reader {
    fn of(messages: u64) -> anyhow::Result<Self> {
        eprintln!("a room of {messages}");
        let data = Data::fresh(&messages.to_string());
        site::seed(&data, ROOM, messages)?;
        let site = Site::start(&data)?;
        let mut current = Visitor::sign_up(&site.address, "Current")?;
        let behind = Visitor::sign_up(&site.address, "Behind")?;
        let said = current.post(&path(""), &format!("message=A+{ONCE}!"))?;
        ensure!(said.status == 303, "nothing can be said: {}", said.text);
        let room = Room::look(&mut current, messages)?;
        let ask = format!(r#"{{"action":"Read","data":{{"room":{},"seq":{READ}}}}}"#, room.id);
        behind.window(&room.window(room.seq), Some(&ask), |came| {
            came.contains(&room.read_up_to(READ))
        })?;
        Ok(Self { site, current, behind, room, _data: data })
    }

    fn turn(&mut self, ask: Ask, turn: Duration) -> anyhow::Result<Figure> {
        self.current.come_back()?;
        self.behind.come_back()?;
        self.ask(ask).with_context(|| ask.to_string())?;
        let before = Threads::of(self.site.process())?;
        let (begun, mut times) = (Instant::now(), Vec::new());
        while begun.elapsed() < turn || times.len() < FEWEST {
            let asked = Instant::now();
            self.ask(ask).with_context(|| ask.to_string())?;
            times.push(asked.elapsed().as_secs_f64() * 1e6);
        }
        let cpu = Threads::of(self.site.process())?.nanoseconds_since(&before) as f64;
        Ok(Figure { cpu: cpu / 1e3 / times.len() as f64, wall: median(times) })
    }

    /// Asks once, and sees to it that the answer is the right one.
    fn ask(&mut self, ask: Ask) -> anyhow::Result<()> {
        let Self { current, behind, room, .. } = self;
        match ask {
            Ask::Page => {
                let page = current.page(&path(""))?;
                ensure!(messages(&page) == room.newest && page.contains(&last_read(room.seq)));
            }
            Ask::CatchUp => {
                let missed = &room.newest[PAGE - MISSED..];
                let newest = format!(" data-seq=\"{}\"", room.seq);
                let path = room.window(room.seq - MISSED as u64);
                let came = current.window(&path, None, |came| {
                    messages(came).len() >= MISSED && came.contains(&newest)
                })?;
                ensure!(
                    messages(&came) == missed,
                    "missed {missed:?}, but caught up with {:?}",
                    messages(&came)
                );
            }
            Ask::UnreadInTheList => {
                let page = behind.page("/chat/")?;
                ensure!(page.contains(&room.unread()));
            }
            Ask::UnreadOnThePage => {
                let page = behind.page(&path(""))?;
                ensure!(messages(&page) == room.newest);
                ensure!(page.contains(&room.unread()) && page.contains(&last_read(READ)));
            }
            Ask::Older => {
                let page = current.page(&path(&format!("?before={}", room.seq / 2)))?;
                ensure!(messages(&page) == room.before);
            }
            Ask::Permalink => {
                let answer = current.get(&format!("/chat/-/messages/{}/", room.middle))?;
                let place = answer.header("location").context("it leads nowhere")?;
                ensure!(
                    answer.status == 303 && place.ends_with(&format!("#message--{}", room.middle))
                );
                let page = current.page(place.split('#').next().unwrap_or_default())?;
                let shown = messages(&page);
                ensure!(
                    shown.len() == PAGE
                        && shown[PAGE / 2] == room.middle
                        && shown[..PAGE / 2] == room.before[PAGE / 2..]
                );
            }
            Ask::SearchOften => {
                let page = current.page(&format!("/chat/-/search/?q={OFTEN}"))?;
                ensure!(found(&page) == PAGE, "{} found", found(&page));
            }
            Ask::SearchOnce => {
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
    fn look(visitor: &mut Visitor, messages_there: u64) -> anyhow::Result<Self> {
        let page = visitor.page(&path(""))?;
        let (_, list) = page.split_once("<ol id=\"messages-list\"").context("no messages")?;
        let id = number_after(list, " data-feed=\"chat.room.").context("no feed")?;
        let seq = number_after(list, " data-seq=\"").context("no number")?;
        ensure!(seq == messages_there + 1, "{seq} changes, not {messages_there} and one");
        let newest = messages(&page);
        let before = messages(&visitor.page(&path(&format!("?before={}", seq / 2)))?);
        let around = messages(&visitor.page(&path(&format!("?at={}", seq / 2)))?);
        ensure!([newest.len(), before.len(), around.len()] == [PAGE; 3], "pages that are not full");
        Ok(Self { id, seq, newest, before, middle: around[PAGE / 2] })
    }

    /// The socket of the page, which is at this number.
    fn window(&self, seq: u64) -> String {
        format!(
            "/ws/chat/?sidebar=1&at=%2Fchat%2F{ROOM}%2F&dialect=htmx&since=chat.room.{}:{seq}",
            self.id
        )
    }

    fn read_up_to(&self, seq: u64) -> String {
        format!("id=\"read--{}\" data-seq=\"{seq}\"", self.id)
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

/// The numbers of the messages that are shown, in their order.
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
    html.split_once(mark)?.1.split('"').next()?.parse().ok()
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
