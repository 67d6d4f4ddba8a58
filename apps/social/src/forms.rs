//! Validated input: author names, message texts and page numbers.

use bellwire_site::bellwire::Refusal;
use bellwire_site::markup;
use unicode_normalization::UnicodeNormalization;

/// The longest author name, in characters.
pub(crate) const AUTHOR_CHARS: usize = 100;
/// The longest message, in characters.
pub(crate) const TEXT_CHARS: usize = 200;

/// A validated author name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Author(String);

impl Author {
    /// Validates a submitted name: visible, on one line, at most 100 characters.
    ///
    /// # Errors
    /// A message for the field `author`.
    pub fn parse(input: &str) -> Result<Self, Refusal> {
        let name: String = input.chars().filter(|c| !markup::is_invisible(*c)).nfc().collect();
        let name = name.split_whitespace().collect::<Vec<_>>().join(" ");
        match name.chars().count() {
            _ if !markup::shows(&name) => Err(Refusal::field("author", "Please type your name.")),
            1..=AUTHOR_CHARS => Ok(Self(name)),
            len => Err(Refusal::field("author", too_long("A name", AUTHOR_CHARS, len))),
        }
    }

    /// Wraps a name that was validated before: a user's, or that of a stored message.
    pub(crate) fn known(name: &str) -> Self {
        Self(name.to_owned())
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A validated message text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageText(String);

impl MessageText {
    /// Validates a submitted text: something visible, at most 200 characters.
    ///
    /// # Errors
    /// A message for the field `text`.
    pub fn parse(input: &str) -> Result<Self, Refusal> {
        let text = input.replace("\r\n", "\n").replace('\r', "\n");
        // NUL cannot be stored by any of the databases; the other control characters are not
        // visible.
        let text: String =
            text.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).nfc().collect();
        let text = text.trim();
        match text.chars().count() {
            _ if !markup::shows(text) => Err(Refusal::field("text", "Write something first.")),
            0..=TEXT_CHARS => Ok(Self(text.to_owned())),
            len => Err(Refusal::field("text", too_long("A message", TEXT_CHARS, len))),
        }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Parses a page number; `None` is the first page.
///
/// # Errors
/// The value is not a whole number from 1.
pub(crate) fn page_number(value: Option<&str>) -> Result<u64, Refusal> {
    match value.map(str::parse) {
        None => Ok(1),
        Some(Ok(page @ 1..)) => Ok(page),
        Some(_) => Err(Refusal::field("page", "Pages are numbered from 1.")),
    }
}

fn too_long(what: &str, max: usize, len: usize) -> String {
    format!("{what} holds at most {max} characters; this one has {len}.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_author_has_a_visible_name_of_one_line_and_at_most_100_characters() {
        for (input, expected) in [
            ("  Ada   Lovelace\n", "Ada Lovelace"),
            ("يوسف الحداد", "يوسف الحداد"),
            ("👩‍👩‍👧", "👩‍👩‍👧"),
            ("A\u{0}d\u{202e}a", "Ada"),
            ("<script>", "<script>"),
        ] {
            assert_eq!(Author::parse(input).unwrap().as_str(), expected);
        }
        assert!(Author::parse(&"ü".repeat(100)).is_ok());
        for bad in ["", " \n", "\u{200b}\u{200d}", "\u{0}", &"x".repeat(101)] {
            assert!(Author::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_message_has_something_visible_and_at_most_200_characters() {
        assert_eq!(MessageText::parse("\r\n a\r\nb\u{0} \n").unwrap().as_str(), "a\nb");
        assert!(MessageText::parse(&"😀".repeat(200)).is_ok());
        for bad in ["", " \n\t ", "\u{200b}\u{feff}", "\u{0}", &"x".repeat(201)] {
            assert!(MessageText::parse(bad).is_err(), "{:?}", bad.len());
        }
    }

    #[test]
    fn pages_are_numbered_from_one() {
        assert_eq!(page_number(None).unwrap(), 1);
        assert_eq!(page_number(Some("18446744073709551615")).unwrap(), u64::MAX);
        for bad in ["", "0", "-1", "two", "1.5", "18446744073709551616", "1\u{0}"] {
            assert!(page_number(Some(bad)).is_err(), "{bad:?}");
        }
    }
}
