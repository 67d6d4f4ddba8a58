//! A change to a page: what, where and how.

use std::borrow::Cow;

use crate::{Html, Swap};

/// A change to a page. Which bytes it becomes is a matter of the [`Dialect`](crate::Dialect).
///
/// ```
/// use bellwire::{Html, Patch};
/// let patch = Patch::append("#messages-list", Html::trusted("<li id=message--1>Hello</li>")).title("(1) Chat");
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
    /// The elements selected by `selector` change as `swap` says. Prefer an id: unmodified htmx 4
    /// takes a `:` in a selector for its own.
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

    /// The element's content becomes `html`.
    pub fn inner(selector: impl Into<Cow<'static, str>>, html: Html) -> Self {
        Self::new(Swap::Inner, selector, html)
    }

    /// The element becomes `html`, exactly one element.
    pub fn replace(selector: impl Into<Cow<'static, str>>, html: Html) -> Self {
        Self::new(Swap::Replace, selector, html)
    }

    /// `html` comes last inside the element.
    pub fn append(selector: impl Into<Cow<'static, str>>, html: Html) -> Self {
        Self::new(Swap::Append, selector, html)
    }

    /// `html` comes first inside the element.
    pub fn prepend(selector: impl Into<Cow<'static, str>>, html: Html) -> Self {
        Self::new(Swap::Prepend, selector, html)
    }

    /// `html` comes before the element.
    pub fn before(selector: impl Into<Cow<'static, str>>, html: Html) -> Self {
        Self::new(Swap::Before, selector, html)
    }

    /// `html` comes after the element.
    pub fn after(selector: impl Into<Cow<'static, str>>, html: Html) -> Self {
        Self::new(Swap::After, selector, html)
    }

    /// The element goes.
    pub fn remove(selector: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Swap::Remove, selector, Html::trusted(""))
    }

    /// The element becomes `html`, keeping the nodes that stay the same.
    pub fn morph(selector: impl Into<Cow<'static, str>>, html: Html) -> Self {
        Self::new(Swap::Morph, selector, html)
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

    /// Says it in other words to clients of the json dialect: they get this text, as it is, in
    /// place of the object. For those who expect a form of their own while our pages get the patch.
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
