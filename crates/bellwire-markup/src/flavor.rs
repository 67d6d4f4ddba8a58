//! The ways in which a text is read.

use pulldown_cmark::Options;

/// What a text is read as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flavor {
    /// A line break is a line break, and a heading is a bold line.
    Message,
    /// Lines flow into paragraphs, and headings divide it.
    Article,
}

/// What of Markdown is read beyond its core.
pub(crate) fn options() -> Options {
    Options::ENABLE_STRIKETHROUGH
}
