//! Database models: columns, queries and domain methods.

pub mod article;
pub mod comment;
pub mod headline;
mod search;

pub use article::Article;
pub use comment::Comment;
pub use headline::Headline;
