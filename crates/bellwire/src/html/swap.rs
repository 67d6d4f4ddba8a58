//! The ways in which a patch changes an element.

/// How a patch changes the element it selects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Swap {
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
    /// As [`Swap::Replace`], keeping the nodes that stay the same. A page without a morph replaces.
    Morph,
}
