//! The swap of a patch: replace, append, remove, and so on.

/// The way in which a patch changes the element that it selects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Swap {
    /// Replaces the element's content with the HTML.
    Inner,
    /// Replaces the element itself with the HTML, which is exactly one element.
    Replace,
    /// Inserts the HTML at the end of the element's content. bellwire.js replaces an element of the
    /// page that has the same id instead of inserting a second one.
    Append,
    /// Inserts the HTML at the start of the element's content, with the same rule.
    Prepend,
    /// Inserts the HTML before the element.
    Before,
    /// Inserts the HTML after the element.
    After,
    /// Removes the element.
    Remove,
    /// Like [`Swap::Replace`], but keeps the nodes that are equal. A page without a morph algorithm
    /// replaces the element.
    Morph,
}
