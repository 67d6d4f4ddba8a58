//! An app, as navigation and front page present it.

/// The name, path and purpose of an app, for the navigation and the front page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NavItem {
    /// Its name for people.
    pub title: &'static str,
    /// The path where it begins, such as `/chat/`.
    pub path: &'static str,
    /// Its purpose, in a sentence.
    pub about: &'static str,
}
