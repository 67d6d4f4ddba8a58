//! The errors of the social network.

use bellwire_site::SiteError;
use bellwire_site::bellwire::Refusal;

/// An error of the social network.
#[derive(Debug, Refusal)]
#[non_exhaustive]
pub enum SocialError {
    /// The message does not exist, or was deleted.
    #[refusal("That message no longer exists.", status = 404)]
    NoMessage,
    /// The message belongs to another signed-in author.
    #[refusal("Only the author of this message can do that.", status = 403)]
    NotYours,
    /// The window has too many open edit forms.
    #[refusal("Save or cancel one of your open edits first.")]
    TooManyForms,
    /// Any other error.
    #[refusal(other)]
    Other(SiteError),
}
