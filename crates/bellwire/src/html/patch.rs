//! Patches: changes to a page.

use std::borrow::Cow;

use crate::{Html, Swap};

/// A change to a page. A [`Dialect`](crate::Dialect) encodes it for a browser.
///
/// Unmodified htmx applies the swap; URL, title, focus, morph, `keep_last`, events and redirects
/// need bellwire.js.
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
    /// The number of children that a list keeps.
    pub(crate) keep_last: Option<u32>,
    /// What the page does instead of a swap.
    pub(crate) command: Option<Box<Command>>,
}

/// What a page does other than to swap HTML.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Command {
    /// Dispatches an event of this name, with this JSON as its detail.
    Event(String, String),
    /// Opens another page.
    Redirect(String),
    /// Loads the page again.
    Reload,
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
            keep_last: None,
            command: None,
        }
    }

    fn command(command: Command) -> Self {
        let nothing = Self::new(Swap::Inner, "", Html::trusted(""));
        Self { command: Some(Box::new(command)), ..nothing }
    }

    /// Dispatches a DOM event on the document, after the patches before it are applied. Scripts
    /// listen to it by its name, and read `event.detail`.
    ///
    /// ```
    /// use bellwire::Patch;
    /// let unread = Patch::event("chat:unread", serde_json::json!({ "room": 7, "count": 2 }));
    /// # let _ = unread;
    /// ```
    pub fn event(name: impl Into<String>, detail: impl Into<serde_json::Value>) -> Self {
        Self::command(Command::Event(name.into(), detail.into().to_string()))
    }

    /// Opens another page of the site in place of this one.
    pub fn redirect(url: impl Into<String>) -> Self {
        Self::command(Command::Redirect(url.into()))
    }

    /// Loads the page again.
    pub fn reload() -> Self {
        Self::command(Command::Reload)
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

    /// Also removes the oldest children of the list, so that at most `count` stay: after
    /// [`append`](Self::append) the first ones, after [`prepend`](Self::prepend) the last ones.
    #[must_use]
    pub fn keep_last(mut self, count: u32) -> Self {
        self.keep_last = Some(count);
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
