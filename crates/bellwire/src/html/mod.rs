//! HTML fragments, patches that put them into a page, and the dialects that carry patches.

mod dialect;
mod patch;
mod stored_patch;
mod swap;
mod templates;

use std::fmt;
use std::sync::Arc;

pub use dialect::{Dialect, UnknownDialect};
pub use patch::Patch;
pub use swap::Swap;

pub(crate) use patch::Command;
pub(crate) use stored_patch::StoredPatch;

/// HTML that is safe to show: rendered by a template engine that escapes (features `askama`, `maud`,
/// `minijinja`), or escaped from text. Any other HTML has to be declared
/// [`trusted`](Html::trusted).
///
/// ```
/// use bellwire::Html;
/// assert_eq!(Html::text("<b>").as_str(), "&lt;b&gt;");
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Html(Arc<str>);

impl Html {
    /// Escapes text: every character with a meaning in HTML.
    pub fn text(text: &str) -> Self {
        let mut html = String::with_capacity(text.len());
        escape(&mut html, text);
        Self(html.into())
    }

    /// Accepts HTML as it is. The caller guarantees that all user input in it is escaped.
    pub fn trusted(html: impl Into<Arc<str>>) -> Self {
        Self(html.into())
    }

    /// The HTML as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Html {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Html {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Html({:?})", &self.0)
    }
}

/// Appends text, escaped for HTML content and for quoted attributes.
pub(crate) fn escape(out: &mut String, text: &str) {
    let mut rest = text;
    // Searching bytes is enough: in UTF-8 none of these is part of another character.
    while let Some(at) =
        rest.bytes().position(|byte| matches!(byte, b'&' | b'<' | b'>' | b'"' | b'\''))
    {
        out.push_str(&rest[..at]);
        out.push_str(match rest.as_bytes()[at] {
            b'&' => "&amp;",
            b'<' => "&lt;",
            b'>' => "&gt;",
            b'"' => "&quot;",
            _ => "&#39;",
        });
        rest = &rest[at + 1..];
    }
    out.push_str(rest);
}
