//! Tables: their columns, their queries, and the words of their domain.

pub mod membership;
pub mod mention;
pub mod message;
pub mod old_slug;
pub mod people;
pub mod room;
mod search;

pub use membership::Membership;
pub use message::Message;
pub use room::Room;

/// Counting what is unread ends here: "99+" says enough.
pub(crate) const UNREAD: u64 = 100;
