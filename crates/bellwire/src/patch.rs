//! A change to a page: what, where and how.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use askama::Template;

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
    while let Some(at) = rest.bytes().position(|byte| matches!(byte, b'&' | b'<' | b'>' | b'"' | b'\'')) {
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

/// How a patch changes the element it selects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum How {
    /// The element's content becomes the HTML.
    Inner,
    /// The element itself becomes the HTML, which is exactly one element.
    Replace,
    /// The HTML comes last inside the element. With bellwire.js an element whose id is in the page already takes that one's place.
    Append,
    /// The HTML comes first inside the element, with the same rule.
    Prepend,
    /// The HTML comes before the element.
    Before,
    /// The HTML comes after the element.
    After,
    /// The element goes.
    Remove,
    /// As [`How::Replace`], keeping the nodes that stay the same. A page without a morph replaces.
    Morph,
}

/// A change to a page. Which bytes it becomes is a matter of the [`Dialect`](crate::Dialect).
///
/// ```
/// use bellwire::{Html, Patch};
/// let patch = Patch::append("#messages-list", Html::trusted("<li id=message--1>Hello</li>")).title("(1) Chat");
/// # let _ = patch;
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Patch {
    pub(crate) how: How,
    pub(crate) selector: Cow<'static, str>,
    pub(crate) html: Html,
    pub(crate) url: Option<String>,
    pub(crate) title: Option<String>,
    pub(crate) focus: Option<String>,
    pub(crate) plain: Option<String>,
}

impl Patch {
    /// The elements selected by `selector` change as `how` says. Prefer an id: unmodified htmx 4 takes a `:` in a selector for its own.
    pub fn new(how: How, selector: impl Into<Cow<'static, str>>, html: Html) -> Self {
        Self { how, selector: selector.into(), html, url: None, title: None, focus: None, plain: None }
    }

    /// The element's content becomes `html`.
    pub fn inner(selector: impl Into<Cow<'static, str>>, html: Html) -> Self {
        Self::new(How::Inner, selector, html)
    }

    /// The element becomes `html`, exactly one element.
    pub fn replace(selector: impl Into<Cow<'static, str>>, html: Html) -> Self {
        Self::new(How::Replace, selector, html)
    }

    /// `html` comes last inside the element.
    pub fn append(selector: impl Into<Cow<'static, str>>, html: Html) -> Self {
        Self::new(How::Append, selector, html)
    }

    /// `html` comes first inside the element.
    pub fn prepend(selector: impl Into<Cow<'static, str>>, html: Html) -> Self {
        Self::new(How::Prepend, selector, html)
    }

    /// `html` comes before the element.
    pub fn before(selector: impl Into<Cow<'static, str>>, html: Html) -> Self {
        Self::new(How::Before, selector, html)
    }

    /// `html` comes after the element.
    pub fn after(selector: impl Into<Cow<'static, str>>, html: Html) -> Self {
        Self::new(How::After, selector, html)
    }

    /// The element goes.
    pub fn remove(selector: impl Into<Cow<'static, str>>) -> Self {
        Self::new(How::Remove, selector, Html::trusted(""))
    }

    /// The element becomes `html`, keeping the nodes that stay the same.
    pub fn morph(selector: impl Into<Cow<'static, str>>, html: Html) -> Self {
        Self::new(How::Morph, selector, html)
    }

    /// Also sets the page's address.
    #[must_use]
    pub fn url(mut self, url: impl Into<String>) -> Self {
        self.url = Some(url.into());
        self
    }

    /// Also sets the page's title.
    #[must_use]
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.title = Some(title.into());
        self
    }

    /// Also moves the focus to the element that `selector` selects.
    #[must_use]
    pub fn focus(mut self, selector: impl Into<String>) -> Self {
        self.focus = Some(selector.into());
        self
    }

    /// Says it in other words to clients of the json dialect: they get this text, as it is, in place of the object. For those who expect
    /// a form of their own while our pages get the patch.
    ///
    /// ```
    /// use bellwire::{Html, Patch};
    /// let tick = Patch::inner("#clock", Html::text("12:00:00")).plain("12:00:00");
    /// # let _ = tick;
    /// ```
    #[must_use]
    pub fn plain(mut self, text: impl Into<String>) -> Self {
        self.plain = Some(text.into());
        self
    }
}
