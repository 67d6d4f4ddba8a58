#![doc = include_str!("../README.md")]
#![deny(missing_docs)]

// `sanitize` takes from a text what pages have no use for, `nodes` reads what is left, and only
// `html` writes markup.
mod flavor;
mod sanitize;
mod ast;
mod address;
mod html;
mod plain;
mod fold;
mod characters;

use bellwire::Html;

use crate::flavor::Flavor;

pub use crate::ast::{Element, Node};
pub use crate::characters::{attaches, is_invisible, is_joiner, shows};
pub use crate::fold::{Case, fold};
pub use crate::html::Marks;

/// A text, read as Markdown. Whatever was typed, what it becomes is safe to be shown, and never
/// empty unless the text shows nothing itself.
#[derive(Debug, PartialEq)]
pub struct Text {
    nodes: Vec<Node>,
}

impl Text {
    /// Something said in passing: a message, a comment.
    pub fn message(text: &str) -> Self {
        Self { nodes: ast::of(text, Flavor::Message) }
    }

    /// Something longer, with headings (below the page's own, which is the first) and rules.
    pub fn article(text: &str) -> Self {
        Self { nodes: ast::of(text, Flavor::Article) }
    }

    /// What it is made of.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The text as HTML.
    pub fn html(&self) -> Html {
        self.html_with(&Marks::new())
    }

    /// The text as HTML, with these parts of it shown as something else.
    pub fn html_with(&self, marks: &Marks) -> Html {
        Html::trusted(html::of(&self.nodes, marks))
    }

    /// The text in one line of at most `chars` characters, without markup: for announcements,
    /// notifications and search results.
    pub fn plain(&self, chars: usize) -> String {
        plain::of(&self.nodes, chars)
    }
}
