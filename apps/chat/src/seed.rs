//! Rooms with a conversation in them, for people who exist nowhere.
//!
//! What they say stands in `seed/*.txt`: a line `Name: text` for each message, which goes on in the
//! lines below it that begin with no name; a line `~ text` for what the message before was edited
//! to; and before each scene when it begins, as `[3 days ago 16:50]` (UTC) or `[12 minutes ago]`.

use std::collections::HashMap;
use std::time::Duration;

use bellwire_site::bellwire::IdempotencyKey;
use bellwire_site::seed::{Progress, SeedOptions};
use bellwire_site::{AppError, DbError, Person, SiteError, SiteState, Tx};
use chrono::{DateTime, TimeDelta, Utc};

mod script;
mod long;

pub(crate) use long::LongRoom;

use crate::ChatError;
use crate::actions::mentioned;
use crate::forms::{MessageText, RoomName};
use crate::models::message::{NewMessage, Written};
use crate::models::room::{Kind, Room};
use crate::models::{Membership, Message};
use script::Line;

/// Messages of one transaction: a running site waits for no longer than these take.
const BATCH: usize = 50;

/// Between two transactions, so that a running site gets its turn.
const BREATH: Duration = Duration::from_millis(5);

/// How often a batch is tried while others write, and the wait before the next try.
const TRIES: u32 = 10;
const WAIT: Duration = Duration::from_millis(300);

/// The sender's own id of every message from a script begins so.
const MARK: &str = "seed-";

/// Where something is said.
struct Place {
    /// The room's name; of a conversation, what it is called while it is written.
    name: &'static str,
    kind: Kind,
    script: &'static str,
}

const PLACES: [Place; 7] = [
    Place { name: "hi", kind: Kind::Open, script: include_str!("seed/hi.txt") },
    Place { name: "python", kind: Kind::Open, script: include_str!("seed/python.txt") },
    Place { name: "events", kind: Kind::Open, script: include_str!("seed/events.txt") },
    Place { name: "off-topic", kind: Kind::Open, script: include_str!("seed/off-topic.txt") },
    Place { name: "organisers", kind: Kind::Closed, script: include_str!("seed/organisers.txt") },
    Place {
        name: "Amara and Yusuf",
        kind: Kind::Direct,
        script: include_str!("seed/amara-and-yusuf.txt"),
    },
    Place {
        name: "Freya and Jonas",
        kind: Kind::Direct,
        script: include_str!("seed/freya-and-jonas.txt"),
    },
];

/// Adds what is missing of the rooms and of what is said in them.
pub(crate) async fn fill(
    site: &SiteState,
    people: &[Person],
    progress: &mut Progress,
    options: &SeedOptions,
) -> Result<(), SiteError> {
    // First, so that a long history comes before the conversation.
    if let Some(long) = options.get::<LongRoom>() {
        long.fill(site, people, progress).await?;
    }
    for place in &PLACES {
        let lines = script::read(place.script, people, site.clock().date());
        let Some(room) = find_or_open(site, place, &lines).await? else {
            progress.done(format_args!(
                "{}: there is another room of that name, which is left as it is",
                place.name
            ));
            continue;
        };
        let said = say(site, place, &room, lines, progress).await?;
        if !said.is_empty() {
            read_up(site, &room, people, &said).await?;
        }
        progress.done(format_args!("{}: {} new messages", place.name, said.len()));
    }
    Ok(())
}

/// The room of this place, if it is one where its speakers may speak.
async fn find_or_open(
    site: &SiteState,
    place: &Place,
    lines: &[Line],
) -> Result<Option<Room>, ChatError> {
    let speakers = script::speakers(lines);
    let db = site.db().read();
    let there = match (place.kind, &*speakers) {
        (Kind::Direct, [one, other]) => Room::of_two(db, *one, *other).await?,
        _ => {
            let name = RoomName::parse(place.name)?;
            match Room::by_slug(db, name.slug()).await? {
                Some(room) => Some(room),
                // It may have been renamed since it was made here.
                None => Room::once_called(db, name.slug()).await?,
            }
        }
    };
    let Some(room) = there else { return open(site, place, speakers).await.map(Some) };
    for speaker in speakers {
        if !room.admits(db, speaker).await? {
            return Ok(None);
        }
    }
    Ok((room.kind == place.kind).then_some(room))
}

/// Opens the room, with those as members who speak in it; both or neither.
async fn open(site: &SiteState, place: &Place, speakers: Vec<i64>) -> Result<Room, ChatError> {
    let (name, kind) = (RoomName::parse(place.name)?, place.kind);
    patiently(|| {
        let (name, speakers) = (name.clone(), speakers.clone());
        site.db().write(async move |tx: Tx| match (kind, &*speakers) {
            (Kind::Direct, [one, other]) => Room::between(&tx, *one, *other).await,
            _ => {
                let by = speakers.first().copied().ok_or(ChatError::NoPerson)?;
                let room = Room::open(&tx, &name, kind, by).await?;
                if kind == Kind::Closed {
                    Membership::add(&tx, room.id, &speakers).await?;
                }
                Ok(room)
            }
        })
    })
    .await
}

/// Writes what was not said yet, and returns who said something, at which places.
async fn say(
    site: &SiteState,
    place: &Place,
    room: &Room,
    mut lines: Vec<Line>,
    progress: &mut Progress,
) -> Result<Vec<(i64, i64)>, ChatError> {
    let db = site.db().read();
    let before = Message::client_ids(db, room.id, MARK).await?;
    lines.retain(|line| !before.contains(&line.client_id()));
    if let Some(newest) = Message::newest(db, room.id, 1).await?.pop() {
        fit(&mut lines, newest.row.created_at, site.clock().date());
    }
    let mut said = Vec::new();
    for batch in lines.chunks(BATCH) {
        let written = patiently(|| {
            let (room, batch) = (room.clone(), batch.to_vec());
            site.db().write(async move |tx: Tx| write(&tx, &room, batch).await)
        });
        said.extend(written.await?);
        progress.at(place.name, said.len() as u64, lines.len() as u64);
        tokio::time::sleep(BREATH).await;
    }
    Ok(said)
}

/// What follows something that was said meanwhile is moved behind it.
fn fit(lines: &mut [Line], after: DateTime<Utc>, now: DateTime<Utc>) {
    if lines.first().is_none_or(|first| first.at > after) {
        return;
    }
    let count = i32::try_from(lines.len()).unwrap_or(i32::MAX);
    let step = (now - after).max(TimeDelta::zero()) / count;
    for (line, place) in lines.iter_mut().zip(1..) {
        line.at = after + step * place;
    }
}

async fn write(tx: &Tx, room: &Room, lines: Vec<Line>) -> Result<Vec<(i64, i64)>, ChatError> {
    let mut said = Vec::new();
    for line in lines {
        let new = NewMessage {
            room_id: room.id,
            author_id: line.author.id,
            author: line.author.name.clone(),
            text: MessageText::parse(&line.text)?,
            client_id: IdempotencyKey::parse(Some(&line.client_id()))?,
            mentions: mentioned(tx, room, &line.text).await?,
            at: line.at,
        };
        let Written::New(message) = Message::write(tx, new).await? else { continue };
        said.push((message.row.author_id, message.row.seq));
        if let Some(text) = &line.edited {
            let mentions = mentioned(tx, room, text).await?;
            message.edit(tx, &MessageText::parse(text)?, mentions).await?;
        }
    }
    Ok(said)
}

/// Notes how far everyone has read: what they answered to at least, and some of them not the end.
async fn read_up(
    site: &SiteState,
    room: &Room,
    people: &[Person],
    said: &[(i64, i64)],
) -> Result<(), ChatError> {
    let own: HashMap<i64, i64> = said.iter().copied().collect(); // the last one of each stays
    let (room, readers) = (room.clone(), people.iter().map(|person| person.id).collect::<Vec<_>>());
    let last = said.last().map_or(0, |(_, seq)| *seq);
    patiently(|| {
        let (room, readers, own) = (room.clone(), readers.clone(), own.clone());
        site.db().write(async move |tx: Tx| {
            for (reader, place) in readers.into_iter().zip(0..) {
                if room.admits(&tx, reader).await? {
                    let own = own.get(&reader).copied().unwrap_or_default();
                    let read = own.max(last - behind(room.kind, place));
                    Membership::read(&tx, room.id, reader, read).await?;
                }
            }
            Ok(())
        })
    })
    .await
}

/// How many of the newest messages somebody has not looked at: in the open, every third person
/// some.
fn behind(kind: Kind, place: i64) -> i64 {
    match (kind, place % 3) {
        (Kind::Open, 0) => 3 + place,
        (Kind::Open, _) => 0,
        _ => i64::from(u8::MAX),
    }
}

/// Tries again for a while where the database has too much to do: a running site writes, too.
async fn patiently<T, W>(mut write: impl FnMut() -> W) -> Result<T, ChatError>
where
    W: Future<Output = Result<T, ChatError>>,
{
    for _ in 1..TRIES {
        match write().await {
            Err(ChatError::AppError(AppError::Db(DbError::Busy))) => tokio::time::sleep(WAIT).await,
            done => return done,
        }
    }
    write().await
}
