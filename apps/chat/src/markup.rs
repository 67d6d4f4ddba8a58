//! What a message's text becomes: the site's [`Text`], and the names it calls.

mod names;
#[cfg(test)]
mod tests;

use bellwire_site::bellwire::Html;
use bellwire_site::markup::{Case, Text, fold};

/// A person named in a text.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Mention {
    /// The person's id.
    pub user_id: i64,
    /// The person's name, as the person has it.
    pub name: String,
}

/// What may be a name after each `@`, longest first and folded the way names are compared
/// (`accounts::name_key`).
///
/// At most 20 mentions a message and 4 words a name. Code and links name nobody. Which of them are
/// people, only the database knows; what it finds goes into [`render`].
pub fn candidates(text: &str) -> Vec<String> {
    names::candidates(Text::message(text).nodes())
}

/// The text as HTML: safe to be shown whatever was typed, and never empty unless the text shows
/// nothing itself.
pub fn render(text: &str, mentions: &[Mention]) -> Html {
    let text = Text::message(text);
    text.html_with(&names::marks(text.nodes(), mentions))
}

/// The text in one line of at most `chars` characters, without markup: for announcements,
/// notifications and search results.
pub fn plain(text: &str, chars: usize) -> String {
    Text::message(text).plain(chars)
}

/// The text as all ways of writing it are the same, for a search.
pub fn folded(text: &str) -> String {
    fold(text, Case::Full)
}
