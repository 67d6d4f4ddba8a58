//! Filling a room with many messages, for measurements.

use bellwire_site::bellwire::Refusal;
use bellwire_site::seed::Progress;
use bellwire_site::{Person, SiteError, SiteState, Tx};
use chrono::{DateTime, TimeDelta, Utc};
use clap::Args;

use super::{PAUSE, ROOMS, script, with_retries};
use crate::ChatError;
use crate::forms::{MessageText, RoomName};
use crate::models::Message;
use crate::models::message::NewMessage;
use crate::models::room::{Kind, Room};

/// The number of messages in one transaction, which is one statement.
const BATCH: u64 = 500;

/// An empty room is filled with messages from the first to the second of these numbers of days ago,
/// which is before the conversations of the other rooms.
const DAYS: (i64, i64) = (365, 22);

/// The maximum number of messages in a filled room.
const MAX_MESSAGES: u64 = 10_000_000;

/// Options of `bellwire seed` that fill a room for measurements.
#[derive(Debug, Args)]
pub(crate) struct LongRoom {
    /// Fill a room up to this number of messages, for measurements
    #[arg(long, requires = "room", value_parser = clap::value_parser!(u64).range(1..=MAX_MESSAGES))]
    messages: Option<u64>,
    /// The name of the room to fill; it is created if it does not exist
    #[arg(long, requires = "messages")]
    room: Option<String>,
}

impl LongRoom {
    /// Fills the room if the options are set.
    pub(super) async fn fill(
        &self,
        site: &SiteState,
        people: &[Person],
        progress: &mut Progress,
    ) -> Result<(), SiteError> {
        let (Some(messages), Some(room)) = (self.messages, &self.room) else { return Ok(()) };
        let why = |error: ChatError| SiteError::from(error).for_log();
        let filled = fill_room(site, people, room, messages, progress).await;
        filled.map_err(|error| {
            SiteError::Invalid(format!("cannot fill the room `{room}`: {}", why(error)))
        })?;
        Ok(())
    }
}

/// Fills the room, which is created if it does not exist, up to this number of messages. The
/// missing ones come after the existing ones. Returns how many were missing.
///
/// # Errors
/// If the name is invalid, the room is closed, or the database fails.
async fn fill_room(
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
    let texts = texts(people, to)?;
    let mut written = 0;
    while written < missing {
        let until = missing.min(written + BATCH);
        let batch: Vec<_> = (written..until)
            .map(|index| message(&room, people, &texts, index, from, step))
            .collect();
        with_retries(|| {
            let (batch, room, epochs) = (batch.clone(), room.id, site.epochs().clone());
            site.db().write(async move |tx: Tx| Message::write_all(&tx, &epochs, room, batch).await)
        })
        .await?;
        written = until;
        progress.at(name.name(), written, missing);
        tokio::time::sleep(PAUSE).await;
    }
    progress.done(format_args!("{}: {missing} new messages", name.name()));
    Ok(missing)
}

async fn open(site: &SiteState, people: &[Person], name: &RoomName) -> Result<Room, ChatError> {
    let by = people.first().ok_or(ChatError::NoPerson)?.id;
    let room = with_retries(|| {
        let name = name.clone();
        site.db().write(async move |tx: Tx| Room::open(&tx, &name, Kind::Open, by).await)
    });
    let room = room.await?;
    match room.kind {
        Kind::Open => Ok(room),
        _ => Err(Refusal::field("name", "That name is taken by a closed room.").into()),
    }
}

/// Returns the times of the first and the last message.
async fn span(site: &SiteState, room: &Room) -> Result<(DateTime<Utc>, DateTime<Utc>), ChatError> {
    let now = site.clock().date();
    Ok(match Message::newest(site.db().read(), room.id, 1).await?.pop() {
        Some(newest) => (newest.row.created_at.min(now), now),
        None => (now - TimeDelta::days(DAYS.0), now - TimeDelta::days(DAYS.1)),
    })
}

/// Returns the texts of messages in open rooms that contain no mentions.
fn texts(people: &[Person], now: DateTime<Utc>) -> Result<Vec<MessageText>, Refusal> {
    let open = ROOMS.iter().filter(|seed| seed.kind == Kind::Open);
    let lines = open.flat_map(|seed| script::read(seed.script, people, now));
    lines
        .filter(|line| !line.text.contains('@'))
        .map(|line| MessageText::parse(&line.text))
        .collect()
}

fn message(
    room: &Room,
    people: &[Person],
    texts: &[MessageText],
    index: u64,
    from: DateTime<Utc>,
    step: TimeDelta,
) -> NewMessage {
    let chance = usize::try_from(script::fnv1a(&index.to_string()) >> 33).unwrap_or_default();
    let author = &people[chance % people.len()];
    NewMessage {
        room_id: room.id,
        author_id: author.id,
        author: author.name.clone(),
        text: texts[chance / 16 % texts.len()].clone(),
        client_id: None,
        mentions: Vec::new(),
        at: from + step * i32::try_from(index).unwrap_or(i32::MAX),
    }
}
