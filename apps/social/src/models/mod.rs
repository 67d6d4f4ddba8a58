//! One table a file: its columns, its queries, and the words of its domain.

mod changes;
mod message;

pub use changes::Model as Changes;
pub use message::{Model as Message, NewMessage};
