//! An app's entry in the navigation and on the home page.

/// The name, path and purpose of an app, for the navigation and the home page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NavItem {
    /// The display name.
    pub title: &'static str,
    /// The path of its first page, such as `/chat/`.
    pub path: &'static str,
    /// The purpose, in a sentence.
    pub about: &'static str,
}
