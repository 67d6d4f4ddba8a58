//! Markup of messages: the site's [`Text`] with mentions of users.

mod names;
#[cfg(test)]
mod tests;

use bellwire_site::bellwire::Html;
use bellwire_site::markup::{Case, Text, fold};

/// A user who is mentioned in a text.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Mention {
    /// The id of the user.
    pub user_id: i64,
    /// The name of the user, as the user spells it.
    pub name: String,
}

/// Returns the possible names after each `@`, the longest first, folded like names are for
/// comparison (`accounts::name_key`).
///
/// A message has at most 20 mentions, and a name at most 4 words. Code and links contain no
/// mentions. The caller looks the candidates up in the database and passes the users it finds to
/// [`render`].
pub fn candidates(text: &str) -> Vec<String> {
    names::candidates(Text::message(text).nodes())
}

/// Renders the text as HTML that is safe for any input. The HTML is never empty unless the text has
/// no visible characters.
pub fn render(text: &str, mentions: &[Mention]) -> Html {
    let text = Text::message(text);
    text.html_with(&names::marks(text.nodes(), mentions))
}

/// Returns the text as one line of at most `chars` characters without markup, for announcements,
/// notifications and search results.
pub fn plain(text: &str, chars: usize) -> String {
    Text::message(text).plain(chars)
}

/// Returns the text folded for search, so that different spellings of the same text are equal.
pub fn folded(text: &str) -> String {
    fold(text, Case::Full)
}
