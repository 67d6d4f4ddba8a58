//! Tables: their columns, their queries, and the words of their domain.

pub(crate) mod counts;
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

/// As a part of a `LIKE` that is escaped by `\`: what stands for anything there stands for itself.
fn literally(text: &str) -> String {
    let escaped = |c: char| matches!(c, '\\' | '%' | '_').then_some('\\').into_iter().chain([c]);
    text.chars().flat_map(escaped).collect()
}

/// Counting what is unread ends here: "99+" says enough.
pub(crate) const UNREAD: u64 = 100;
