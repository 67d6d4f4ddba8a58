//! Somebody who runs a room renames it, says who belongs to it, or removes it.

use std::collections::HashSet;

use bellwire::Layer;
use bellwire_site::{SiteState, Tx, User};

use crate::forms::RoomName;
use crate::models::Membership;
use crate::models::room::{Kind, Room, lobby, person};
use crate::{ChatError, Event, fragments};

/// Who belongs to a room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Members {
    /// Everyone.
    Everyone,
    /// These, and whoever says so.
    These(Vec<i64>),
}

/// Gives the room another name.
///
/// # Errors
/// What is wrong with the name, that the room is not theirs to run, or why it could not be written.
pub async fn rename_room(site: &SiteState, by: &User, room: i64, typed: &str) -> Result<Room, ChatError> {
    let (name, by) = (RoomName::parse(typed)?, by.clone());
    let layer = site.bellwire().layer().clone();
    site.db()
        .write(async move |tx: Tx| {
            run_by(&tx, room, &by).await?;
            let renamed = Room::rename(&tx, room, &name).await?;
            let renamed = renamed.ok_or_else(|| ChatError::invalid("name", "Another room has that name."))?;
            let after = renamed.clone();
            tx.on_commit(move || {
                after.news(&layer).patch(fragments::renamed_in_list(&after));
                for patch in fragments::renamed(&after) {
                    after.feed(&layer).patch(patch);
                }
            });
            Ok(renamed)
        })
        .await
}

/// Says who belongs to the room. Whoever does not any more sees and hears nothing of it from now on.
///
/// # Errors
/// That the room is not theirs to run, or why it could not be written.
pub async fn set_members(
    site: &SiteState,
    by: &User,
    room: i64,
    members: Members,
) -> Result<Room, ChatError> {
    let (layer, by) = (site.bellwire().layer().clone(), by.clone());
    site.db()
        .write(async move |tx: Tx| {
            let before = run_by(&tx, room, &by).await?;
            let had: HashSet<_> = Membership::people(&tx, room).await?.into_iter().collect();
            let (kind, has) = match members {
                Members::Everyone => (Kind::Open, had.clone()),
                Members::These(people) => (Kind::Closed, people.into_iter().chain([by.id]).collect()),
            };
            let after = Room::set_kind(&tx, room, kind).await?;
            for added in has.difference(&had) {
                Membership::add(&tx, room, *added).await?;
            }
            for removed in had.difference(&has) {
                Membership::remove(&tx, room, *removed).await?;
            }
            let (then, now) = (before, after.clone());
            tx.on_commit(move || moved(&layer, &then, &now, &had, &has));
            Ok(after)
        })
        .await
}

/// Tells everyone concerned, and takes those out who do not belong here any more.
fn moved(layer: &Layer, then: &Room, now: &Room, had: &HashSet<i64>, has: &HashSet<i64>) {
    let key = |person: i64| format!("user.{person}");
    if now.kind == Kind::Closed {
        let feed = now.feed(layer);
        let present = layer.presence().people(feed.name());
        let may_stay: HashSet<_> = has.iter().map(|person| key(*person)).collect();
        let strangers = present.iter().map(|who| who.to_string()).filter(|who| !may_stay.contains(who));
        for who in strangers.chain(had.difference(has).map(|person| key(*person))) {
            for group in [&feed, &now.passing(layer), &now.news(layer)] {
                layer.expel_person(&who, group.name());
            }
        }
    }
    if then.kind == now.kind {
        had.symmetric_difference(has).for_each(|each| person(layer, *each).send(Event::Rooms));
    } else {
        lobby(layer).send(Event::Rooms);
    }
}

/// Removes the room with all that was said in it.
///
/// # Errors
/// That the room is not theirs to run, or why it could not be written.
pub async fn delete_room(site: &SiteState, by: &User, room: i64) -> Result<(), ChatError> {
    let (layer, by) = (site.bellwire().layer().clone(), by.clone());
    site.db()
        .write(async move |tx: Tx| {
            let room = run_by(&tx, room, &by).await?;
            Room::delete(&tx, room.id).await?;
            tx.on_commit(move || {
                room.feed(&layer).send(Event::Gone);
                room.news(&layer).patch(fragments::room_gone(&room));
            });
            Ok(())
        })
        .await
}

async fn run_by(tx: &Tx, room: i64, by: &User) -> Result<Room, ChatError> {
    Room::lock(tx, room).await?;
    let room = Room::by_id(tx, room).await?.ok_or(ChatError::NoRoom)?;
    match room.is_run_by(by) {
        true => Ok(room),
        false => Err(ChatError::NotYours),
    }
}
