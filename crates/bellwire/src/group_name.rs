//! Names of groups, and positions in their feeds.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::io::{Cursor, Write as _};
use std::sync::Arc;

/// The number of a change in its feed. The first change has number 1; 0 stands for "nothing yet".
pub type Seq = u64;

/// The longest name, in bytes; Channels' limit.
const NAME_BYTES: usize = 99;
/// What an id takes of it at most: a dot, a sign and 19 digits.
const LONGEST_ID: usize = 21;

/// The name of a group: 1 to 99 ASCII letters, digits, `-`, `_` or `.`. It cannot be built otherwise.
///
/// Name groups by ids (`chat.room.7`), never by what people typed.
#[derive(Clone, Eq, PartialOrd, Ord)]
pub struct GroupName(Arc<str>);

/// Members share the name of their group: mostly it is the same in memory, and need not be read.
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
    /// Checks and takes a name.
    ///
    /// # Errors
    /// When the name is empty, too long, or has any other character.
    pub fn new(name: impl AsRef<str>) -> Result<Self, InvalidGroupName> {
        let name = name.as_ref();
        let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
        if (1..=NAME_BYTES).contains(&name.len()) && name.bytes().all(fits) {
            Ok(Self(name.into()))
        } else {
            Err(InvalidGroupName(name.chars().take(NAME_BYTES).collect()))
        }
    }

    /// The group of the thing `kind` with this id, for example `chat.room` and 7. `kind` is written in the program;
    /// whatever in it does not fit a name becomes `_`, and it is cut so that the number always has room.
    pub fn of(kind: &'static str, id: impl Into<i64>) -> Self {
        let id = id.into();
        let fits = |c: char| {
            if c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.') { c as u8 } else { b'_' }
        };
        // Written on the stack, where there is room for the longest.
        let mut name = Cursor::new([0; NAME_BYTES]);
        for c in kind.chars().map(fits).take(NAME_BYTES - LONGEST_ID) {
            let _ = name.write_all(&[c]);
        }
        let _ = write!(name, ".{id}");
        let length = name.position() as usize;
        Self(String::from_utf8_lossy(&name.into_inner()[..length]).into())
    }

    /// A group that only the framework can name: `~` is no character of other names. A key that fits no name goes in as its
    /// SHA-1, so that every process makes the same name of it.
    pub(crate) fn reserved(kind: &'static str, key: &str) -> Self {
        match Self::new(key) {
            Ok(key) if key.0.len() + kind.len() + 2 <= NAME_BYTES => {
                Self(format!("~{kind}.{key}").into())
            }
            _ => Self(format!("~{kind}.~{}", sha1_smol::Sha1::from(key).digest()).into()),
        }
    }

    /// The name.
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

/// A name that no group may have.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` cannot name a group: 1 to 99 ASCII letters, digits, `-`, `_` or `.`")]
pub struct InvalidGroupName(String);

/// The place of a change in its feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Position {
    pub(crate) feed: GroupName,
    pub(crate) seq: Seq,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_short_and_plain_or_does_not_exist() {
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
            assert!(name.as_str().ends_with(&format!(".{id}")), "{name} has lost of its id {id}");
        }
    }
}
