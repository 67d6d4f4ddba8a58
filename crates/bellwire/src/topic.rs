//! Topics: the kinds of groups of an app, each with the type of its ids and of its events; and the
//! groups themselves.

use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::group_name::{GroupName, ID_BYTES, TOPIC_BYTES, is_allowed};

/// A kind of group, declared once as a constant: its name, the type of its ids, and the type of the
/// events that its members exchange.
///
/// A topic without an event type carries patches and text only, and sockets of every consumer may
/// join its groups. A group of a topic with events can only be joined by consumers with the same
/// [`Event`](crate::Consumer::Event) type; anything else does not compile.
///
/// ```
/// use bellwire::{GroupName, Topic};
///
/// #[derive(serde::Serialize, serde::Deserialize)]
/// enum Event {
///     Renamed,
/// }
///
/// const ROOM: Topic<u64, Event> = Topic::new("chat.room");
/// const ALERTS: Topic<i32> = Topic::new("alerts");
///
/// assert_eq!(ROOM.of(7).name().as_str(), "chat.room.7");
/// assert_eq!(ALERTS.of(-1).name().as_str(), "alerts.-1");
/// assert_eq!(ROOM.id_of(ROOM.of(7).name()), Some(7));
/// ```
pub struct Topic<Id, E = NoEvents> {
    name: &'static str,
    types: PhantomData<fn(Id) -> E>,
}

/// The event type of a [`Topic`] without events. It has no values.
#[derive(Debug, Clone, Copy)]
pub enum NoEvents {}

impl<Id: GroupId, E> Topic<Id, E> {
    /// A topic of this name: 1 to 58 ASCII letters, digits, `-`, `_` or `.`.
    ///
    /// # Panics
    /// If the name is anything else; for a constant, at compile time.
    pub const fn new(name: &'static str) -> Self {
        assert!(is_topic(name.as_bytes()), "a topic has 1 to 58 letters, digits, `-`, `_` or `.`");
        Self { name, types: PhantomData }
    }

    /// The group of the object with this id.
    pub fn of(&self, id: Id) -> Group<E> {
        Group::new(GroupName::of_topic(self.name, &Shown(&id)))
    }

    /// The id in a name of a group of this topic; `None` for groups of other topics.
    pub fn id_of(&self, group: &GroupName) -> Option<Id>
    where
        Id: FromStr,
    {
        group.as_str().strip_prefix(self.name)?.strip_prefix('.')?.parse().ok()
    }
}

const fn is_topic(name: &[u8]) -> bool {
    let mut index = 0;
    while index < name.len() {
        if !is_allowed(name[index]) {
            return false;
        }
        index += 1;
    }
    !name.is_empty() && name.len() <= TOPIC_BYTES
}

impl<Id, E> Clone for Topic<Id, E> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<Id, E> Copy for Topic<Id, E> {}

impl<Id, E> fmt::Debug for Topic<Id, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Topic({})", self.name)
    }
}

/// A type of ids in a [`Topic`]: an integer of any width, a [`TextId`], or a UUID (with the feature
/// `uuid`). Their text is always valid in the name of a group, so nothing else can implement it.
pub trait GroupId: sealed::Id {}

impl<T: sealed::Id> GroupId for T {}

mod sealed {
    use std::fmt;

    pub trait Id {
        fn show(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result;
    }

    macro_rules! shown_as_displayed {
        ($($id:ty),*) => {
            $(impl Id for $id {
                fn show(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    fmt::Display::fmt(self, f)
                }
            })*
        };
    }
    shown_as_displayed!(i8, i16, i32, i64, i128, isize, u8, u16, u32, u64, u128, usize);
    shown_as_displayed!(super::TextId);
    #[cfg(feature = "uuid")]
    shown_as_displayed!(uuid::Uuid);
}

struct Shown<'a, Id>(&'a Id);

impl<Id: GroupId> fmt::Display for Shown<'_, Id> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.show(f)
    }
}

/// A text that is valid as an id in the name of a group: 1 to 40 ASCII letters, digits, `-` or `_`.
///
/// ```
/// use bellwire::{TextId, Topic};
///
/// const BOARD: Topic<TextId> = Topic::new("board");
/// assert_eq!(BOARD.of("road-map".parse()?).name().as_str(), "board.road-map");
/// assert!("road map".parse::<TextId>().is_err());
/// # Ok::<(), bellwire::InvalidTextId>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TextId(Box<str>);

impl TextId {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for TextId {
    type Err = InvalidTextId;

    fn from_str(text: &str) -> Result<Self, InvalidTextId> {
        let is_valid = |byte| is_allowed(byte) && byte != b'.';
        if (1..ID_BYTES).contains(&text.len()) && text.bytes().all(is_valid) {
            Ok(Self(text.into()))
        } else {
            Err(InvalidTextId(text.chars().take(ID_BYTES).collect()))
        }
    }
}

impl fmt::Display for TextId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A text that is not a [`TextId`].
#[derive(Debug, thiserror::Error)]
#[error("invalid id `{0}`: expected 1 to 40 ASCII letters, digits, `-` or `_`")]
pub struct InvalidTextId(String);

/// A group: its name, and the type of the events that its members exchange. Made by [`Topic::of`].
///
/// [`Socket::join`](crate::Socket::join) joins it, and [`Layer::group`](crate::Layer::group) sends
/// to it.
pub struct Group<E = NoEvents> {
    name: GroupName,
    event: PhantomData<fn() -> E>,
}

impl<E> Group<E> {
    /// The group of this name. Prefer a [`Topic`], which ties the event type to the name.
    pub fn new(name: GroupName) -> Self {
        Self { name, event: PhantomData }
    }

    /// The name.
    pub fn name(&self) -> &GroupName {
        &self.name
    }
}

impl<E> Clone for Group<E> {
    fn clone(&self) -> Self {
        Self::new(self.name.clone())
    }
}

impl<E> fmt::Debug for Group<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Group({})", self.name)
    }
}

/// An event that members of a group exchange. Serde serializes it for other processes.
pub trait Event: Serialize + DeserializeOwned + Send + Sync + 'static {}

impl<T: Serialize + DeserializeOwned + Send + Sync + 'static> Event for T {}

/// Something with the name of a group: a [`Group`], a [`GroupHandle`](crate::GroupHandle), a
/// [`Feed`](crate::Feed), or a [`GroupName`].
pub trait Named {
    /// The name of the group.
    fn group_name(&self) -> &GroupName;
}

/// A group that a consumer with the event type `E` may join: one with the same event type, or one
/// without events.
#[diagnostic::on_unimplemented(
    message = "a consumer whose event type is `{E}` cannot join this group",
    label = "this group has another event type",
    note = "declare the topic with the event type of the consumer: `Topic<_, {E}>`"
)]
pub trait Joinable<E>: Named {}

impl Named for GroupName {
    fn group_name(&self) -> &GroupName {
        self
    }
}

impl<E> Named for Group<E> {
    fn group_name(&self) -> &GroupName {
        self.name()
    }
}

impl<T: Named> Named for &T {
    fn group_name(&self) -> &GroupName {
        (*self).group_name()
    }
}

impl<E: Event> Joinable<E> for Group<E> {}
impl<E: Event> Joinable<E> for Group<NoEvents> {}
impl<E, T: Joinable<E>> Joinable<E> for &T {}

#[cfg(test)]
mod tests {
    use super::*;

    /// The longest name that `Topic::new` accepts.
    const LONGEST: &str = "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";

    #[test]
    fn the_name_of_a_group_is_valid_for_each_id() {
        let longest_text = "y".repeat(40).parse::<TextId>().unwrap();
        for (name, id) in [
            (Topic::<i8>::new("chat.room").of(7).name, "7"),
            (Topic::<i128>::new(LONGEST).of(i128::MIN).name, &i128::MIN.to_string()),
            (Topic::<u128>::new(LONGEST).of(u128::MAX).name, &u128::MAX.to_string()),
            (Topic::<TextId>::new(LONGEST).of(longest_text.clone()).name, longest_text.as_str()),
        ] {
            assert!(GroupName::new(name.as_str()).is_ok(), "{name}");
            assert!(name.as_str().ends_with(&format!(".{id}")), "{name} lost part of its id {id}");
        }
    }

    #[test]
    fn a_topic_without_a_valid_name_panics() {
        for bad in ["", "chat room", "ü", &format!("{LONGEST}x")] {
            let bad: &'static str = bad.to_owned().leak();
            assert!(std::panic::catch_unwind(|| Topic::<u8>::new(bad)).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_text_id_has_no_dot_because_a_dot_separates_topic_and_id() {
        for bad in ["", "a.b", "a b", "ä", "~", &"x".repeat(41)] {
            assert!(bad.parse::<TextId>().is_err(), "{bad}");
        }
    }

    #[test]
    fn an_id_is_found_in_the_names_of_its_own_topic_only() {
        let (room, rooms) = (Topic::<i64>::new("room"), Topic::<i64>::new("rooms"));
        assert_eq!(room.id_of(room.of(-7).name()), Some(-7));
        assert_eq!(room.id_of(rooms.of(7).name()), None);
        assert_eq!(room.id_of(&GroupName::new("room.x").unwrap()), None);
    }
}
