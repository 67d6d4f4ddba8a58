//! HTML fragments, patches that put them into a page, and the dialects that carry patches.

mod dialect;
mod patch;
mod swap;

use std::fmt;
use std::sync::Arc;

use askama::Template;

pub use dialect::{Dialect, UnknownDialect};
pub use patch::Patch;
pub use swap::Swap;

/// HTML that is safe to show. It comes from a template, which escapes, or from text, which is escaped here;
/// anything else has to be called [`trusted`](Html::trusted) by name.
///
/// ```
/// use bellwire::Html;
/// assert_eq!(Html::text("<b>").as_str(), "&lt;b&gt;");
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Html(Arc<str>);

impl Html {
    /// Renders a template.
    ///
    /// # Errors
    /// When the template fails, which askama's own never do unless a filter or a `Display` inside does.
    pub fn from_template(template: &impl Template) -> Result<Self, askama::Error> {
        Ok(Self(template.render()?.into()))
    }

    /// Takes the text as text: every character that means something in HTML is escaped.
    pub fn text(text: &str) -> Self {
        let mut html = String::with_capacity(text.len());
        escape(&mut html, text);
        Self(html.into())
    }

    /// Takes HTML as it is. The caller vouches that nothing in it was typed by a stranger without being escaped.
    pub fn trusted(html: impl Into<Arc<str>>) -> Self {
        Self(html.into())
    }

    /// The HTML.
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

/// A template may show `Html` without escaping it a second time.
impl askama::filters::HtmlSafe for Html {}

/// Adds text, made harmless inside HTML and inside a quoted attribute.
pub(crate) fn escape(out: &mut String, text: &str) {
    let mut rest = text;
    // Bytes are enough to look for: none of these is part of another character.
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
