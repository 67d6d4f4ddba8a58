//! The signed-in person, for pages and rate limits.

/// The signed-in person of a request, for the shell, the error pages and the rate limits.
///
/// The middleware that recognises a session stores it in the extensions of request and response.
/// Without it, nobody is signed in.
///
/// ```
/// use bellwire_web::Viewer;
/// let ada = Viewer { id: 7, name: "Ada".to_owned(), is_admin: true, is_staff: true };
/// assert!(ada.is_staff);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Viewer {
    /// The id of the account; never reused.
    pub id: i64,
    /// The name, as the person typed it.
    pub name: String,
    /// Whether the person administers the site.
    pub is_admin: bool,
    /// Whether the person moderates content. Always true for administrators.
    pub is_staff: bool,
}
