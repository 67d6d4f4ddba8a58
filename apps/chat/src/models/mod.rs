//! Tables: their columns, their queries, and the words of their domain.

pub mod message;
pub mod room;

pub use message::Message;
pub use room::Room;
