//! Names of groups, and positions in their feeds.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::io::{Cursor, Write as _};
use std::sync::Arc;

/// The sequence number of a change in its feed. The first change has number 1; 0 means that there
/// is no change yet.
pub type Seq = u64;

/// The maximum length of a name, in bytes: the limit of Django Channels.
const NAME_BYTES: usize = 99;
/// The maximum length of an id with its separator: a dot, a sign and 19 digits.
const LONGEST_ID: usize = 21;

/// The name of a group: 1 to 99 ASCII letters, digits, `-`, `_` or `.`. An invalid name cannot be
/// constructed.
///
/// Name groups by ids (`chat.room.7`), never by user input.
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
        let is_valid = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
        if (1..=NAME_BYTES).contains(&name.len()) && name.bytes().all(is_valid) {
            Ok(Self(name.into()))
        } else {
            Err(InvalidGroupName(name.chars().take(NAME_BYTES).collect()))
        }
    }

    /// The group of the object `kind` with this id, for example `chat.room` and 7.
    ///
    /// `kind` is a constant of the program. Invalid characters in it become `_`, and it is
    /// truncated so that the id always fits.
    pub fn of(kind: &'static str, id: impl Into<i64>) -> Self {
        let id = id.into();
        let to_valid = |c: char| {
            if c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.') { c as u8 } else { b'_' }
        };
        // Built on the stack, in a buffer for the longest name.
        let mut name = Cursor::new([0; NAME_BYTES]);
        for c in kind.chars().map(to_valid).take(NAME_BYTES - LONGEST_ID) {
            let _ = name.write_all(&[c]);
        }
        let _ = write!(name, ".{id}");
        let length = name.position() as usize;
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

/// The position of a change in a feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Position {
    pub(crate) feed: GroupName,
    pub(crate) seq: Seq,
}

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

    #[test]
    fn a_name_made_of_a_kind_and_an_id_is_always_valid() {
        let long: &'static str = "x".repeat(200).leak();
        for (kind, id) in [
            ("chat.room", 7),
            ("what people typed", 0),
            ("ü", -1),
            ("", 1),
            (long, i64::MIN),
            (long, i64::MAX),
        ] {
            let name = GroupName::of(kind, id);
            assert!(GroupName::new(name.as_str()).is_ok(), "{name}");
            assert!(name.as_str().ends_with(&format!(".{id}")), "{name} lost part of its id {id}");
        }
    }
}
