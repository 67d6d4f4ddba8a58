//! A room so long that it can be measured.

use bellwire_site::bellwire::Invalid;
use bellwire_site::seed::Progress;
use bellwire_site::{Person, SiteError, SiteState, Tx};
use chrono::{DateTime, TimeDelta, Utc};
use clap::Args;

use super::{BREATH, PLACES, patiently, script};
use crate::ChatError;
use crate::forms::{MessageText, RoomName};
use crate::models::Message;
use crate::models::message::NewMessage;
use crate::models::room::{Kind, Room};

/// Messages of one transaction, which are one statement.
const BATCH: u64 = 500;

/// A room in which nothing was said is filled from so many days ago until before the conversation
/// of the other rooms.
const DAYS: (i64, i64) = (365, 22);

/// The most messages that a room is filled with.
const MOST: u64 = 10_000_000;

/// A room to be measured, as options of `bellwire seed`.
#[derive(Debug, Args)]
pub(crate) struct LongRoom {
    /// Brings a room to so many messages, to measure with.
    #[arg(long, requires = "room", value_parser = clap::value_parser!(u64).range(1..=MOST))]
    messages: Option<u64>,
    /// Which room; it is opened if there is none.
    #[arg(long, requires = "messages")]
    room: Option<String>,
}

impl LongRoom {
    /// Fills the room, if one was asked for.
    pub(super) async fn fill(
        &self,
        site: &SiteState,
        people: &[Person],
        progress: &mut Progress,
    ) -> Result<(), SiteError> {
        let (Some(messages), Some(room)) = (self.messages, &self.room) else { return Ok(()) };
        let why = |error: ChatError| SiteError::from(error).for_log();
        let filled = lengthen(site, people, room, messages, progress).await;
        filled.map_err(|error| {
            SiteError::Invalid(format!("cannot fill the room `{room}`: {}", why(error)))
        })?;
        Ok(())
    }
}

/// Brings the room, which is opened if there is none, to so many messages: the missing ones come
/// after those that are there. Returns how many that were.
///
/// # Errors
/// That the name will not do or the room is closed, or why it could not be written.
async fn lengthen(
    site: &SiteState,
    people: &[Person],
    room: &str,
    messages: u64,
    progress: &mut Progress,
) -> Result<u64, ChatError> {
    let name = RoomName::parse(room)?;
    let room = open(site, people, &name).await?;
    let missing = messages.saturating_sub(Message::count(site.db().read(), room.id).await?);
    let (from, to) = span(site, &room).await?;
    let step = (to - from) / i32::try_from(missing.max(1)).unwrap_or(i32::MAX);
    let sayings = sayings(people, to)?;
    let mut written = 0;
    while written < missing {
        let until = missing.min(written + BATCH);
        let batch: Vec<_> = (written..until)
            .map(|place| message(&room, people, &sayings, place, from, step))
            .collect();
        patiently(|| {
            let (batch, room) = (batch.clone(), room.id);
            site.db().write(async move |tx: Tx| Message::write_all(&tx, room, batch).await)
        })
        .await?;
        written = until;
        progress.at(name.name(), written, missing);
        tokio::time::sleep(BREATH).await;
    }
    progress.done(format_args!("{}: {missing} new messages, for its length", name.name()));
    Ok(missing)
}

async fn open(site: &SiteState, people: &[Person], name: &RoomName) -> Result<Room, ChatError> {
    let by = people.first().ok_or(ChatError::NoPerson)?.id;
    let room = patiently(|| {
        let name = name.clone();
        site.db().write(async move |tx: Tx| Room::open(&tx, &name, Kind::Open, by).await)
    });
    let room = room.await?;
    match room.kind {
        Kind::Open => Ok(room),
        _ => Err(Invalid::field("name", "That name is taken by a closed room.").into()),
    }
}

/// From when to when the messages are said.
async fn span(site: &SiteState, room: &Room) -> Result<(DateTime<Utc>, DateTime<Utc>), ChatError> {
    let now = site.clock().date();
    Ok(match Message::newest(site.db().read(), room.id, 1).await?.pop() {
        Some(newest) => (newest.row.created_at.min(now), now),
        None => (now - TimeDelta::days(DAYS.0), now - TimeDelta::days(DAYS.1)),
    })
}

/// What people say in the open, without naming anybody.
fn sayings(people: &[Person], now: DateTime<Utc>) -> Result<Vec<MessageText>, Invalid> {
    let open = PLACES.iter().filter(|place| place.kind == Kind::Open);
    let lines = open.flat_map(|place| script::read(place.script, people, now));
    lines
        .filter(|line| !line.text.contains('@'))
        .map(|line| MessageText::parse(&line.text))
        .collect()
}

fn message(
    room: &Room,
    people: &[Person],
    sayings: &[MessageText],
    place: u64,
    from: DateTime<Utc>,
    step: TimeDelta,
) -> NewMessage {
    let chance = usize::try_from(script::number(&place.to_string()) >> 33).unwrap_or_default();
    let author = &people[chance % people.len()];
    NewMessage {
        room_id: room.id,
        author_id: author.id,
        author: author.name.clone(),
        text: sayings[chance / 16 % sayings.len()].clone(),
        client_id: None,
        mentions: Vec::new(),
        at: from + step * i32::try_from(place).unwrap_or(i32::MAX),
    }
}
