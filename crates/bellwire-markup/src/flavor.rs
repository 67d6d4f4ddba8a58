//! The two Markdown flavors: message and article.

use pulldown_cmark::Options;

/// The rules by which a text is parsed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flavor {
    /// A line break is a line break, and a heading is a bold line.
    Message,
    /// Lines join into paragraphs, and headings are headings.
    Article,
}

/// Returns the enabled extensions of Markdown.
pub(crate) fn options() -> Options {
    Options::ENABLE_STRIKETHROUGH
}
