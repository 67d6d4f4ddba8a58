//! Patches: changes to a page.

use std::borrow::Cow;

use crate::{Html, Swap};

/// A change to a page. A [`Dialect`](crate::Dialect) encodes it for a browser.
///
/// ```
/// use bellwire::{Html, Patch};
/// let item = Html::trusted("<li id=message--1>Hello</li>");
/// let patch = Patch::append("#messages-list", item).title("(1) Chat");
/// # let _ = patch;
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Patch {
    pub(crate) swap: Swap,
    pub(crate) selector: Cow<'static, str>,
    pub(crate) html: Html,
    pub(crate) url: Option<String>,
    pub(crate) title: Option<String>,
    pub(crate) focus: Option<String>,
    pub(crate) json_text: Option<String>,
}

impl Patch {
    /// Changes the elements that match `selector`, in the way of `swap`. Prefer an id: unmodified
    /// htmx 4 reads a `:` in a selector as its own syntax.
    pub fn new(swap: Swap, selector: impl Into<Cow<'static, str>>, html: Html) -> Self {
        Self {
            swap,
            selector: selector.into(),
            html,
            url: None,
            title: None,
            focus: None,
            json_text: None,
        }
    }

    /// Replaces the element's content with `html`.
    pub fn inner(selector: impl Into<Cow<'static, str>>, html: Html) -> Self {
        Self::new(Swap::Inner, selector, html)
    }

    /// Replaces the element with `html`, which is exactly one element.
    pub fn replace(selector: impl Into<Cow<'static, str>>, html: Html) -> Self {
        Self::new(Swap::Replace, selector, html)
    }

    /// Inserts `html` at the end of the element's content.
    pub fn append(selector: impl Into<Cow<'static, str>>, html: Html) -> Self {
        Self::new(Swap::Append, selector, html)
    }

    /// Inserts `html` at the start of the element's content.
    pub fn prepend(selector: impl Into<Cow<'static, str>>, html: Html) -> Self {
        Self::new(Swap::Prepend, selector, html)
    }

    /// Inserts `html` before the element.
    pub fn before(selector: impl Into<Cow<'static, str>>, html: Html) -> Self {
        Self::new(Swap::Before, selector, html)
    }

    /// Inserts `html` after the element.
    pub fn after(selector: impl Into<Cow<'static, str>>, html: Html) -> Self {
        Self::new(Swap::After, selector, html)
    }

    /// Removes the element.
    pub fn remove(selector: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Swap::Remove, selector, Html::trusted(""))
    }

    /// Replaces the element with `html` and keeps the nodes that are equal.
    pub fn morph(selector: impl Into<Cow<'static, str>>, html: Html) -> Self {
        Self::new(Swap::Morph, selector, html)
    }

    /// Also sets the page's URL.
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

    /// Also moves the focus to the element that matches `selector`.
    #[must_use]
    pub fn focus(mut self, selector: impl Into<String>) -> Self {
        self.focus = Some(selector.into());
        self
    }

    /// Sends this text, unchanged, to clients of the json dialect in place of the object. For
    /// clients that expect a format of their own while htmx pages receive the patch.
    ///
    /// ```
    /// use bellwire::{Html, Patch};
    /// let tick = Patch::inner("#clock", Html::text("12:00:00")).json_text("12:00:00");
    /// # let _ = tick;
    /// ```
    #[must_use]
    pub fn json_text(mut self, text: impl Into<String>) -> Self {
        self.json_text = Some(text.into());
        self
    }
}
