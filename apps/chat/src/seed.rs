//! Demo data: rooms with conversations of fictional people.
//!
//! The scripts are in `seed/*.txt`. A line `Name: text` is a message, which continues on the
//! following lines that begin without a name. A line `~ text` is what the message before it was
//! edited to. Each scene begins with its time, `[3 days ago 16:50]` (UTC) or `[12 minutes ago]`.

use std::collections::HashMap;
use std::time::Duration;

use bellwire_site::bellwire::IdempotencyKey;
use bellwire_site::seed::{Progress, SeedOptions};
use bellwire_site::{FeedEpochs, Person, SiteError, SiteState, Tx};
use chrono::{DateTime, TimeDelta, Utc};

mod script;
mod long;

pub(crate) use long::LongRoom;

use crate::ChatError;
use crate::actions::mentioned;
use crate::forms::{MessageText, RoomName};
use crate::models::message::NewMessage;
use crate::models::room::{Kind, Room};
use crate::models::{Membership, Message};
use script::Line;

/// The number of messages in one transaction. A running site waits no longer than one takes.
const BATCH: usize = 50;

/// The pause between two transactions, so that a running site can write.
const PAUSE: Duration = Duration::from_millis(5);

/// The number of attempts for a batch while others write, and the wait between them.
const TRIES: u32 = 10;
const WAIT: Duration = Duration::from_millis(300);

/// The prefix of the idempotency keys of all messages from scripts.
const CLIENT_ID_PREFIX: &str = "seed-";

/// A room or conversation and its script.
struct SeedRoom {
    /// The name of the room. For a conversation, it appears only in the progress output.
    name: &'static str,
    kind: Kind,
    script: &'static str,
}

const ROOMS: [SeedRoom; 7] = [
    SeedRoom { name: "hi", kind: Kind::Open, script: include_str!("seed/hi.txt") },
    SeedRoom { name: "python", kind: Kind::Open, script: include_str!("seed/python.txt") },
    SeedRoom { name: "events", kind: Kind::Open, script: include_str!("seed/events.txt") },
    SeedRoom { name: "off-topic", kind: Kind::Open, script: include_str!("seed/off-topic.txt") },
    SeedRoom {
        name: "organisers",
        kind: Kind::Closed,
        script: include_str!("seed/organisers.txt"),
    },
    SeedRoom {
        name: "Amara and Yusuf",
        kind: Kind::Direct,
        script: include_str!("seed/amara-and-yusuf.txt"),
    },
    SeedRoom {
        name: "Freya and Jonas",
        kind: Kind::Direct,
        script: include_str!("seed/freya-and-jonas.txt"),
    },
];

/// Creates the rooms and messages that are missing.
pub(crate) async fn fill(
    site: &SiteState,
    people: &[Person],
    progress: &mut Progress,
    options: &SeedOptions,
) -> Result<(), SiteError> {
    // First, so that the long history is older than the conversation.
    if let Some(long) = options.get::<LongRoom>() {
        long.fill(site, people, progress).await?;
    }
    for seed in &ROOMS {
        let lines = script::read(seed.script, people, site.clock().date());
        let Some(room) = find_or_open(site, seed, &lines).await? else {
            progress.done(format_args!(
                "{}: skipped, because a different room has this name",
                seed.name
            ));
            continue;
        };
        let written = write_missing(site, seed, &room, lines, progress).await?;
        if !written.is_empty() {
            mark_read(site, &room, people, &written).await?;
        }
        progress.done(format_args!("{}: {} new messages", seed.name, written.len()));
    }
    Ok(())
}

/// Finds or opens the room. Returns `None` if the existing room is of another kind or does not
/// admit the speakers of the script.
async fn find_or_open(
    site: &SiteState,
    seed: &SeedRoom,
    lines: &[Line],
) -> Result<Option<Room>, ChatError> {
    let speakers = script::speakers(lines);
    let db = site.db().read();
    let found = match (seed.kind, &*speakers) {
        (Kind::Direct, [one, other]) => Room::find_direct(db, *one, *other).await?,
        _ => {
            let name = RoomName::parse(seed.name)?;
            match Room::by_slug(db, name.slug()).await? {
                Some(room) => Some(room),
                // It may have been renamed since it was created.
                None => Room::by_old_slug(db, name.slug()).await?,
            }
        }
    };
    let Some(room) = found else { return open(site, seed, speakers).await.map(Some) };
    for speaker in speakers {
        if !room.admits(db, speaker).await? {
            return Ok(None);
        }
    }
    Ok((room.kind == seed.kind).then_some(room))
}

/// Opens the room and makes its speakers members, in one transaction.
async fn open(site: &SiteState, seed: &SeedRoom, speakers: Vec<i64>) -> Result<Room, ChatError> {
    let (name, kind) = (RoomName::parse(seed.name)?, seed.kind);
    with_retries(|| {
        let (name, speakers) = (name.clone(), speakers.clone());
        site.db().write(async move |tx: Tx| match (kind, &*speakers) {
            (Kind::Direct, [one, other]) => Room::open_direct(&tx, *one, *other).await,
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

/// Writes the messages that are missing, and returns their authors and sequence numbers.
async fn write_missing(
    site: &SiteState,
    seed: &SeedRoom,
    room: &Room,
    mut lines: Vec<Line>,
    progress: &mut Progress,
) -> Result<Vec<(i64, i64)>, ChatError> {
    let db = site.db().read();
    let before = Message::client_ids(db, room.id, CLIENT_ID_PREFIX).await?;
    lines.retain(|line| !before.contains(&line.client_id()));
    if let Some(newest) = Message::newest(db, room.id, 1).await?.pop() {
        shift_after(&mut lines, newest.row.created_at, site.clock().date());
    }
    let mut all = Vec::new();
    for batch in lines.chunks(BATCH) {
        let written = with_retries(|| {
            let (room, batch, epochs) = (room.clone(), batch.to_vec(), site.epochs().clone());
            site.db().write(async move |tx: Tx| write(&tx, &epochs, &room, batch).await)
        });
        all.extend(written.await?);
        progress.at(seed.name, all.len() as u64, lines.len() as u64);
        tokio::time::sleep(PAUSE).await;
    }
    Ok(all)
}

/// Moves the lines to after an existing newer message, spread evenly until now.
fn shift_after(lines: &mut [Line], after: DateTime<Utc>, now: DateTime<Utc>) {
    if lines.first().is_none_or(|first| first.at > after) {
        return;
    }
    let count = i32::try_from(lines.len()).unwrap_or(i32::MAX);
    let step = (now - after).max(TimeDelta::zero()) / count;
    for (line, number) in lines.iter_mut().zip(1..) {
        line.at = after + step * number;
    }
}

async fn write(
    tx: &Tx,
    epochs: &FeedEpochs,
    room: &Room,
    lines: Vec<Line>,
) -> Result<Vec<(i64, i64)>, ChatError> {
    let mut written = Vec::new();
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
        let Some(message) = Message::write(tx, epochs, new).await? else { continue };
        written.push((message.row.author_id, message.row.seq));
        if let Some(text) = &line.edited {
            let mentions = mentioned(tx, room, text).await?;
            message.edit(tx, epochs, &MessageText::parse(text)?, mentions).await?;
        }
    }
    Ok(written)
}

/// Stores how far each user has read: at least to the user's own last message, and for some users
/// not to the end.
async fn mark_read(
    site: &SiteState,
    room: &Room,
    people: &[Person],
    written: &[(i64, i64)],
) -> Result<(), ChatError> {
    let own: HashMap<i64, i64> = written.iter().copied().collect(); // the last one of each author
    let (room, readers) = (room.clone(), people.iter().map(|person| person.id).collect::<Vec<_>>());
    let last = written.last().map_or(0, |(_, seq)| *seq);
    with_retries(|| {
        let (room, readers, own) = (room.clone(), readers.clone(), own.clone());
        site.db().write(async move |tx: Tx| {
            for (reader, index) in readers.into_iter().zip(0..) {
                if room.admits(&tx, reader).await? {
                    let own = own.get(&reader).copied().unwrap_or_default();
                    let read = own.max(last - unread_count(room.kind, index));
                    Membership::read(&tx, room.id, reader, read).await?;
                }
            }
            Ok(())
        })
    })
    .await
}

/// Returns how many of the newest messages a user has not read: a few for every third user in an
/// open room.
fn unread_count(kind: Kind, index: i64) -> i64 {
    match (kind, index % 3) {
        (Kind::Open, 0) => 3 + index,
        (Kind::Open, _) => 0,
        _ => i64::from(u8::MAX),
    }
}

/// Retries a write for a while if the database is busy, because a running site writes as well.
async fn with_retries<T, W>(mut write: impl FnMut() -> W) -> Result<T, ChatError>
where
    W: Future<Output = Result<T, ChatError>>,
{
    for _ in 1..TRIES {
        match write().await {
            Err(ChatError::Other(SiteError::Busy)) => tokio::time::sleep(WAIT).await,
            done => return done,
        }
    }
    write().await
}
