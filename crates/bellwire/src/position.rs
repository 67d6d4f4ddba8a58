//! Positions in feeds: the number of a change, and the epoch under which it was written.

use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::str::FromStr;

use crate::GroupName;

/// The sequence number of a change in its feed. The first change has number 1; 0 means that there
/// is no change yet. A signed number, as SQL has it.
pub type Seq = i64;

/// The number of bits of an epoch: enough to tell the epochs of one feed apart.
const EPOCH_BITS: u32 = 40;

/// The number of epochs of a feed that are worth keeping. A page of an older one receives its list
/// again.
pub const KEPT_EPOCHS: usize = 16;

/// The identity of a history of numbers: a random number.
///
/// Numbers alone do not tell whether a page and the server speak of the same changes: after a
/// restored backup, number 31 is another change than the one that a page has seen. Each process
/// therefore takes a new epoch when it starts, and a feed keeps the [`Epochs`] under which it was
/// written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct Epoch(u64);

impl Epoch {
    /// A new epoch.
    pub fn random() -> Self {
        let random = RandomState::new().hash_one(std::process::id());
        Self((random >> (u64::BITS - EPOCH_BITS)).max(1))
    }

    /// The number, which is positive, for storage.
    pub fn number(self) -> i64 {
        self.0.cast_signed()
    }

    /// The epoch with this number; `None` if no epoch has it.
    pub fn from_number(number: i64) -> Option<Self> {
        u64::try_from(number).ok().filter(|number| (1..1 << EPOCH_BITS).contains(number)).map(Self)
    }
}

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}", self.0)
    }
}

/// A change of a feed, as a page knows it: `<epoch>.<number>`, the value of `data-seq`.
///
/// ```
/// use bellwire::FeedPosition;
/// let position: FeedPosition = "3f9c2b0a71.42".parse().unwrap();
/// assert_eq!((position.seq, position.to_string().as_str()), (42, "3f9c2b0a71.42"));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct FeedPosition {
    /// The epoch of the change.
    pub epoch: Epoch,
    /// The number of the change.
    pub seq: Seq,
}

impl fmt::Display for FeedPosition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.epoch, self.seq)
    }
}

impl FromStr for FeedPosition {
    type Err = InvalidPosition;

    fn from_str(text: &str) -> Result<Self, InvalidPosition> {
        let (epoch, seq) = text.split_once('.').ok_or(InvalidPosition)?;
        let epoch = i64::from_str_radix(epoch, 16).ok().and_then(Epoch::from_number);
        let seq = seq.parse().ok().filter(|seq| *seq >= 0);
        epoch.zip(seq).map(|(epoch, seq)| Self { epoch, seq }).ok_or(InvalidPosition)
    }
}

/// A text that is not a position.
#[derive(Debug, thiserror::Error)]
#[error("expected a position such as `3f9c2b0a71.42`")]
pub struct InvalidPosition;

/// A position with the name of its feed: `<feed>:<epoch>.<number>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Position {
    pub(crate) feed: GroupName,
    pub(crate) at: FeedPosition,
}

impl Position {
    pub(crate) fn new(feed: GroupName, at: FeedPosition) -> Self {
        Self { feed, at }
    }

    /// Parses a position of `?since=`. An invalid one counts as no position.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (feed, at) = text.rsplit_once(':')?;
        Some(Self::new(GroupName::new(feed).ok()?, at.parse().ok()?))
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.feed, self.at)
    }
}

/// The epochs under which a feed was written, each with its first number.
///
/// The default has none: only positions of this process are known then, and after a restart each
/// page receives its list again.
///
/// ```
/// use bellwire::{Epoch, Epochs, FeedPosition};
///
/// let [first, second, current] = [Epoch::random(), Epoch::random(), Epoch::random()];
/// let epochs = Epochs::new([(first, 1), (second, 31)]);
/// let knows = |epoch, seq| epochs.know(FeedPosition { epoch, seq }, current);
/// assert!(knows(first, 30) && knows(second, 40));
/// // The backup that was restored ended at number 30.
/// assert!(!knows(first, 31));
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Epochs(Vec<(Epoch, Seq)>);

impl Epochs {
    /// The epochs of a feed with the first number of each, in any order.
    pub fn new(epochs: impl IntoIterator<Item = (Epoch, Seq)>) -> Self {
        let mut epochs: Vec<_> = epochs.into_iter().collect();
        epochs.sort_by_key(|(_, first)| *first);
        Self(epochs)
    }

    /// Whether a page at this position has seen the changes that the feed has now, up to it. The
    /// epoch `current` is the one under which the next change will be written.
    pub fn know(&self, at: FeedPosition, current: Epoch) -> bool {
        match self.0.iter().position(|(epoch, _)| *epoch == at.epoch) {
            Some(index) => self.0.get(index + 1).is_none_or(|(_, first)| at.seq < *first),
            None => at.epoch == current,
        }
    }

    /// The position of change number `seq`, which exists.
    pub fn position(&self, seq: Seq, current: Epoch) -> FeedPosition {
        let written = self.0.iter().rev().find(|(_, first)| *first <= seq);
        FeedPosition { epoch: written.map_or(current, |(epoch, _)| *epoch), seq }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn epoch(number: i64) -> Epoch {
        Epoch::from_number(number).unwrap()
    }

    fn at(epoch_number: i64, seq: Seq) -> FeedPosition {
        FeedPosition { epoch: epoch(epoch_number), seq }
    }

    #[test]
    fn a_position_is_parsed_as_it_is_written_and_anything_else_is_none() {
        let position = Position::new(GroupName::new("chat.room.7").unwrap(), at(0x3f9, 42));
        assert_eq!(position.to_string(), "chat.room.7:3f9.42");
        assert_eq!(Position::parse("chat.room.7:3f9.42"), Some(position));
        for bad in [
            "",
            "chat.room.7",
            "chat.room.7:",
            "chat.room.7:42",
            "chat.room.7:3f9.",
            "a:.42",
            "a:0.42",
            "a:-1.42",
            "a:3f9.-1",
            "a:xyz.42",
            "a b:3f9.42",
            "a:3f9.4x",
            "a:3f9.42.1",
            "a:ffffffffffff.1",
            "a:3f9.99999999999999999999",
        ] {
            assert_eq!(Position::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_random_epoch_is_one_that_can_be_stored_and_differs_from_others() {
        let epochs: Vec<_> = (0..100).map(|_| Epoch::random()).collect();
        assert!(epochs.iter().all(|epoch| Epoch::from_number(epoch.number()) == Some(*epoch)));
        assert!(epochs.iter().all(|one| epochs.iter().filter(|other| *other == one).count() == 1));
        assert_eq!([0, -1, 1 << EPOCH_BITS].map(Epoch::from_number), [None; 3]);
    }

    #[test]
    fn an_ordinary_restart_costs_nothing() {
        let current = epoch(3);
        let epochs = Epochs::new([(epoch(1), 1), (epoch(2), 43)]);
        for known in [at(1, 0), at(1, 42), at(2, 43), at(2, 60), at(3, 60)] {
            assert!(epochs.know(known, current), "{known}");
        }
        assert_eq!(epochs.position(42, current), at(1, 42));
        assert_eq!(epochs.position(60, current), at(2, 60));
        assert_eq!(Epochs::default().position(60, current), at(3, 60));
    }

    #[test]
    fn a_position_that_a_restored_history_does_not_contain_is_not_known() {
        let current = epoch(9);
        // Restored at number 30, and written again since.
        let epochs = Epochs::new([(epoch(9), 31), (epoch(1), 1)]);
        for unknown in [at(1, 31), at(1, 42), at(2, 20), at(2, 42)] {
            assert!(!epochs.know(unknown, current), "{unknown}");
        }
        assert!(epochs.know(at(1, 30), current) && epochs.know(at(9, 31), current));
        assert!(!Epochs::default().know(at(1, 3), current));
    }
}
