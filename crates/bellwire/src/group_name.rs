//! Names of groups.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::io::{Cursor, Write as _};
use std::sync::Arc;

/// The maximum length of a name, in bytes: the limit of Django Channels.
const NAME_BYTES: usize = 99;
/// The maximum length of an id with its separator: a dot, and 40 characters of an `i128` or of a
/// [`TextId`](crate::TextId).
pub(crate) const ID_BYTES: usize = 41;
/// The maximum length of the name of a topic, in bytes: any id fits after it.
pub(crate) const TOPIC_BYTES: usize = NAME_BYTES - ID_BYTES;

/// The name of a group: 1 to 99 ASCII letters, digits, `-`, `_` or `.`. An invalid name cannot be
/// constructed.
///
/// Name groups by a [`Topic`](crate::Topic) and an id (`chat.room.7`), never by user input.
#[derive(Clone, Eq, PartialOrd, Ord)]
pub struct GroupName(Arc<str>);

/// Members share the name of their group, so two equal names usually have the same pointer and
/// their text is not compared.
impl PartialEq for GroupName {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0 == other.0
    }
}

impl Hash for GroupName {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

impl GroupName {
    /// Validates a name.
    ///
    /// # Errors
    /// If the name is empty, too long, or contains any other character.
    pub fn new(name: impl AsRef<str>) -> Result<Self, InvalidGroupName> {
        let name = name.as_ref();
        if (1..=NAME_BYTES).contains(&name.len()) && name.bytes().all(is_allowed) {
            Ok(Self(name.into()))
        } else {
            Err(InvalidGroupName(name.chars().take(NAME_BYTES).collect()))
        }
    }

    /// The group of one object of a topic: `<topic>.<id>`, for example `chat.room.7`.
    pub(crate) fn of_topic(topic: &str, id: &impl fmt::Display) -> Self {
        // Built on the stack, in a buffer for the longest name. A topic and an id always fit.
        let mut name = Cursor::new([0; NAME_BYTES]);
        let _ = write!(name, "{topic}.{id}");
        let length = usize::try_from(name.position()).unwrap_or_default();
        Self(String::from_utf8_lossy(&name.into_inner()[..length]).into())
    }

    /// The name of a group that only the framework can create: `~` is invalid in all other names. A
    /// key that does not fit is replaced by its SHA-1, so that every process derives the same name.
    pub(crate) fn reserved(kind: &'static str, key: &str) -> Self {
        match Self::new(key) {
            Ok(key) if key.0.len() + kind.len() + 2 <= NAME_BYTES => {
                Self(format!("~{kind}.{key}").into())
            }
            _ => Self(format!("~{kind}.~{}", sha1_smol::Sha1::from(key).digest()).into()),
        }
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether a name may contain this byte.
pub(crate) const fn is_allowed(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.')
}

impl fmt::Display for GroupName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for GroupName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", &self.0)
    }
}

/// An invalid group name.
#[derive(Debug, thiserror::Error)]
#[error("invalid group name `{0}`: expected 1 to 99 ASCII letters, digits, `-`, `_` or `.`")]
pub struct InvalidGroupName(String);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_short_name_of_allowed_characters_is_valid() {
        for good in ["a", "chat.room.7", "A-b_c.9", &"x".repeat(99)] {
            assert!(GroupName::new(good).is_ok(), "{good}");
        }
        for bad in ["", "a b", "a:b", "ä", "~person.1", "a/b", "a\n", &"x".repeat(100)] {
            assert!(GroupName::new(bad).is_err(), "{bad}");
        }
    }
}
