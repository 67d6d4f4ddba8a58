#![doc = include_str!("../README.md")]
#![deny(missing_docs)]

// `sanitize` neutralizes unsupported Markdown, `ast` parses the result, and only `html` writes
// markup.
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

/// A text parsed as Markdown. Its HTML is safe for any input, and never empty unless the text
/// itself is invisible.
#[derive(Debug, PartialEq)]
pub struct Text {
    nodes: Vec<Node>,
}

impl Text {
    /// Parses a short text, such as a message or a comment.
    pub fn message(text: &str) -> Self {
        Self { nodes: ast::parse(text, Flavor::Message) }
    }

    /// Parses a longer text with rules and headings, whose levels begin below the page's title.
    pub fn article(text: &str) -> Self {
        Self { nodes: ast::parse(text, Flavor::Article) }
    }

    /// Returns the nodes of the text.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// Renders the text as HTML.
    pub fn html(&self) -> Html {
        self.html_with(&Marks::new())
    }

    /// Renders the text as HTML, with `marks` in place of parts of it.
    pub fn html_with(&self, marks: &Marks) -> Html {
        Html::trusted(html::render(&self.nodes, marks))
    }

    /// Returns the text as one line of at most `chars` characters without markup, for
    /// announcements, notifications and search results.
    pub fn plain(&self, chars: usize) -> String {
        plain::render(&self.nodes, chars)
    }
}
