//! What a text that somebody typed becomes: HTML for the page, and one line for everywhere else.
//!
//! `tame` takes from the text what our pages have no use for, `pieces` reads what is left, and only `html` writes markup.
//!
//! ```
//! use bellwire_site::markup::Text;
//! let text = Text::message("**Hello** <script>");
//! assert_eq!(text.html().as_str(), "<p><strong>Hello</strong> &lt;script&gt;</p>");
//! assert_eq!(text.plain(100), "Hello <script>");
//! ```

mod tame;
mod pieces;
mod address;
mod html;
mod plain;
mod characters;
#[cfg(test)]
mod tests;

use bellwire::Html;

pub use characters::{attaches, is_invisible, is_joiner, shows};
pub use html::Marks;
pub use pieces::{Element, Piece};

/// A text, read as Markdown. Whatever was typed, what it becomes is safe to be shown, and never empty unless the text shows nothing itself.
#[derive(Debug, PartialEq)]
pub struct Text {
    pieces: Vec<Piece>,
}

/// What a text is read as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Manner {
    /// A line break is a line break, and a heading is a bold line.
    Message,
    /// Lines flow into paragraphs, and headings divide it.
    Article,
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
