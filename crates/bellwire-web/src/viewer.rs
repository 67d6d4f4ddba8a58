//! The signed-in person, as pages and limits see them.

/// The person a request comes from, as far as pages need to know: for the shell, the error pages
/// and the limits.
///
/// The middleware that recognises a session puts it into the request's extensions, and into those
/// of the response. Without one, nobody is signed in.
///
/// ```
/// use bellwire_web::Viewer;
/// let ada = Viewer { id: 7, name: "Ada".to_owned(), is_admin: true, is_staff: true };
/// assert!(ada.is_staff);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Viewer {
    /// Their number; never given to somebody else.
    pub id: i64,
    /// Their name, as they wrote it.
    pub name: String,
    /// Whether they administer the site.
    pub is_admin: bool,
    /// Whether they moderate what the apps show. Administrators do.
    pub is_staff: bool,
}
