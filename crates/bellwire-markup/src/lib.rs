#![doc = include_str!("../README.md")]
#![deny(missing_docs)]

// `tame` takes from a text what pages have no use for, `pieces` reads what is left, and only `html` writes markup.
mod manner;
mod tame;
mod pieces;
mod address;
mod html;
mod plain;
mod fold;
mod characters;

use bellwire::Html;

use crate::manner::Manner;

pub use crate::characters::{attaches, is_invisible, is_joiner, shows};
pub use crate::fold::{Case, fold};
pub use crate::html::Marks;
pub use crate::pieces::{Element, Piece};

/// A text, read as Markdown. Whatever was typed, what it becomes is safe to be shown, and never empty unless the text shows nothing itself.
#[derive(Debug, PartialEq)]
pub struct Text {
    pieces: Vec<Piece>,
}

impl Text {
    /// Something said in passing: a message, a comment.
    pub fn message(text: &str) -> Self {
        Self { pieces: pieces::of(text, Manner::Message) }
    }

    /// Something longer, with headings (below the page's own, which is the first) and rules.
    pub fn article(text: &str) -> Self {
        Self { pieces: pieces::of(text, Manner::Article) }
    }

    /// What it is made of.
    pub fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    /// The text as HTML.
    pub fn html(&self) -> Html {
        self.html_with(&Marks::new())
    }

    /// The text as HTML, with these parts of it shown as something else.
    pub fn html_with(&self, marks: &Marks) -> Html {
        Html::trusted(html::of(&self.pieces, marks))
    }

    /// The text in one line of at most `chars` characters, without markup: for announcements, notifications and search results.
    pub fn plain(&self, chars: usize) -> String {
        plain::of(&self.pieces, chars)
    }
}
