//! The errors of the blog.

use bellwire_site::SiteError;
use bellwire_site::bellwire::Refusal;

/// An error of the blog.
#[derive(Debug, Refusal)]
#[non_exhaustive]
pub enum BlogError {
    /// The article does not exist, or the visitor may not read it.
    #[refusal("There is no such article.", status = 404)]
    NoArticle,
    /// The comment does not exist, or was removed.
    #[refusal("That comment no longer exists.", status = 404)]
    NoComment,
    /// The list has fewer pages.
    #[refusal("There are no more articles.", status = 404)]
    NoMore,
    /// The action requires the staff role.
    #[refusal("Only staff may do that.", status = 403)]
    NotStaff,
    /// Another article has this title.
    #[refusal("There is an article with this title already.", field = "title")]
    TitleTaken,
    /// The article was saved after the version that was edited.
    #[refusal("Someone else has saved this article in the meantime.", field = "version")]
    Conflict,
    /// Any other error.
    #[refusal(other)]
    Other(SiteError),
}
