//! What a browser may ask for.

mod add_comment;
mod remove_comment;
mod save_article;

use serde::Deserialize;

pub(crate) use add_comment::{Asked, add_comment};
pub(crate) use remove_comment::remove_comment;
pub(crate) use save_article::{save_article, write_article};

/// An action, in the words of the wire.
#[derive(Debug, Deserialize)]
#[serde(tag = "action", content = "data")]
pub enum Action {
    /// To look at another page.
    #[serde(rename = "Change page")]
    ChangePage(Where),
    /// To see the next five of the list.
    #[serde(rename = "Add next posts")]
    AddNextPosts {
        /// Which five: the first are 1.
        #[serde(deserialize_with = "bellwire_site::bellwire::serde::lenient_int")]
        page: i64,
        /// What was looked for.
        #[serde(default)]
        search: String,
    },
    /// To see the articles in which these words are.
    Search {
        /// What was typed; nothing means all.
        search: String,
    },
    /// To say something below an article.
    #[serde(rename = "Add comment")]
    AddComment(Asked),
    /// To take a comment away.
    #[serde(rename = "Remove comment")]
    RemoveComment {
        /// Which one.
        #[serde(deserialize_with = "bellwire_site::bellwire::serde::lenient_int")]
        id: i64,
    },
}

/// A page of the blog.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Where {
    /// Which kind.
    pub page: Name,
    /// Which article, of a single one.
    #[serde(default, deserialize_with = "bellwire_site::bellwire::serde::lenient_option_int")]
    pub id: Option<i64>,
}

/// The kinds of pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum Name {
    /// The list.
    #[serde(rename = "all posts")]
    AllPosts,
    /// An article.
    #[serde(rename = "single post")]
    SinglePost,
    /// Who we are.
    #[serde(rename = "about us")]
    AboutUs,
}

impl bellwire_site::bellwire::Action for Action {
    const FORM: Option<&'static str> = Some("Add comment");
}
