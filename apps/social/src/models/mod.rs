//! Database models, one file per table: columns, queries and domain methods.

mod changes;
mod message;

pub use changes::Model as Changes;
pub use message::{Model as Message, NewMessage};
