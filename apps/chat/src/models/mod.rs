//! Models: tables with their columns and queries.

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

/// Escapes the wildcards of a `LIKE` pattern, whose escape character is `\`.
fn escape_like(text: &str) -> String {
    let escaped = |c: char| matches!(c, '\\' | '%' | '_').then_some('\\').into_iter().chain([c]);
    text.chars().flat_map(escaped).collect()
}

/// The number at which counting unread messages stops, because the page shows "99+".
pub(crate) const UNREAD: u64 = 100;
