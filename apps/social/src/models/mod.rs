//! Database models, one file per table: columns, queries and domain methods.

mod changes;
mod message;

pub use changes::{Model as Changes, WINDOWS};
pub use message::{EDITORS, Model as Message, NewMessage};
