//! The actions of the socket.

mod add_comment;
mod remove_comment;
mod save_article;

use bellwire_site::bellwire::ActionData;
use bellwire_site::bellwire::serde::{lenient_int, lenient_option_int};
use serde::Deserialize;

pub(crate) use add_comment::{CommentInput, add_comment};
pub(crate) use remove_comment::remove_comment;
pub(crate) use save_article::{save_article, write_article};

/// An action, as named on the wire.
#[derive(Debug, bellwire_site::bellwire::Action)]
pub enum Action {
    /// Shows another page.
    #[serde(rename = "Change page")]
    ChangePage(PageTarget),
    /// Appends the next five articles of the list.
    #[serde(rename = "Add next posts")]
    AddNextPosts {
        /// The number of the page, from 1.
        #[serde(deserialize_with = "lenient_int")]
        page: i64,
        /// The search query of the list.
        #[serde(default)]
        search: String,
    },
    /// Lists the articles that contain these words.
    Search {
        /// The search query. An empty one lists all articles.
        search: String,
    },
    /// Adds a comment to an article.
    #[action(form)]
    #[serde(rename = "Add comment")]
    AddComment(CommentInput),
    /// Removes a comment.
    #[serde(rename = "Remove comment")]
    RemoveComment {
        /// The id of the comment.
        #[serde(deserialize_with = "lenient_int")]
        id: i64,
    },
}

/// The page to show.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ActionData)]
pub struct PageTarget {
    /// The kind of page.
    pub page: PageKind,
    /// The id of the article, for a single post.
    #[serde(default, deserialize_with = "lenient_option_int")]
    pub id: Option<i64>,
}

/// The kinds of pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum PageKind {
    /// The list of articles.
    #[serde(rename = "all posts")]
    AllPosts,
    /// A single article.
    #[serde(rename = "single post")]
    SinglePost,
    /// The page about the authors.
    #[serde(rename = "about us")]
    AboutUs,
}
