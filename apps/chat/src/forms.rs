//! Validation of user input: names of rooms and texts of messages.

use bellwire_site::bellwire::Refusal;
use bellwire_site::markup::{is_invisible, is_joiner, shows};
use unicode_normalization::UnicodeNormalization;

/// The maximum length of a room's name, in characters.
const NAME_CHARS: usize = 128;
/// The maximum length of a message, in characters. The composer in the browser has the same limit.
pub(crate) const MESSAGE_CHARS: usize = 8_000;

/// A valid name of a room, and the slug that is derived from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoomName {
    name: String,
    slug: String,
}

impl RoomName {
    /// Parses a name as typed: 1 to 128 characters of any script. A leading `#`, which rooms are
    /// displayed with, is not part of the name.
    ///
    /// # Errors
    /// A message for the field `name`.
    pub fn parse(typed: &str) -> Result<Self, Refusal> {
        let name: String = typed.chars().filter(|c| !is_invisible(*c)).nfc().collect();
        let name = name.trim_start_matches(|c: char| c == '#' || c.is_whitespace());
        let name = name.split_whitespace().collect::<Vec<_>>().join(" ");
        let slug = slug_of(&name);
        match name.chars().count() {
            0 => Err(Refusal::field("name", "Enter a name for the room.")),
            1..=NAME_CHARS if slug.is_empty() => Err(Refusal::field(
                "name",
                "A room's name needs a character other than dots, dashes and slashes.",
            )),
            1..=NAME_CHARS => Ok(Self { name, slug }),
            long => Err(Refusal::field("name", too_long("A room's name", NAME_CHARS, long))),
        }
    }

    /// Returns the name for display.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the name as a path segment: lower case, without slashes and spaces.
    pub fn slug(&self) -> &str {
        &self.slug
    }
}

/// A valid text of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageText(String);

impl MessageText {
    /// Parses a text as typed: at least one visible character, at most 8,000 characters.
    ///
    /// # Errors
    /// A message for the field `message`.
    pub fn parse(typed: &str) -> Result<Self, Refusal> {
        let text = typed.replace("\r\n", "\n").replace('\r', "\n");
        // PostgreSQL cannot store NUL, and the other control characters cannot be displayed.
        let text: String =
            text.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).collect();
        let text = text.trim_end().trim_start_matches('\n');
        if !shows(text) {
            return Err(Refusal::field("message", "Write something first."));
        }
        match text.chars().count() {
            0..=MESSAGE_CHARS => Ok(Self(text.to_owned())),
            long => Err(Refusal::field("message", too_long("A message", MESSAGE_CHARS, long))),
        }
    }

    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Converts a name to lower case, without characters that a path or a file name cannot hold.
/// Returns an empty string if nothing is left.
fn slug_of(name: &str) -> String {
    let divides = |c: char| c.is_whitespace() || matches!(c, '/' | '\\');
    let lower = name.to_lowercase();
    let parts = lower.split(divides).filter(|part| !part.is_empty());
    // A path segment of dots refers to another path, and `-` alone is reserved for other pages.
    parts
        .filter(|part| !part.chars().all(is_joiner))
        .collect::<Vec<_>>()
        .join("-")
        .trim_matches(|c| matches!(c, '.' | '-'))
        .to_owned()
}

fn too_long(what: &str, max: usize, len: usize) -> String {
    format!("{what} holds at most {max} characters; this one has {len}.")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slug(name: &str) -> String {
        RoomName::parse(name).unwrap().slug
    }

    #[test]
    fn a_room_name_in_any_script_has_a_slug() {
        for (name, expected) in [
            ("hi", "hi"),
            ("  Off   Topic ", "off-topic"),
            ("Ж/Д", "ж-д"),
            ("日本語", "日本語"),
            ("हिन्दी", "हिन्दी"),
            ("C++ & C#?", "c++-&-c#?"),
            ("100%", "100%"),
            ("🎉", "🎉"),
            ("../../etc", "etc"),
            ("-", ""),
        ] {
            let found = RoomName::parse(name).map(|room| room.slug).unwrap_or_default();
            assert_eq!(found, expected, "{name}");
        }
        assert_eq!(
            slug("Cafe\u{301}"),
            slug("café"),
            "composed and decomposed characters are equal"
        );
    }

    #[test]
    fn a_leading_hash_is_not_part_of_a_room_name() {
        for typed in ["#python", "# #python", " #\u{200b}# python"] {
            assert_eq!(
                RoomName::parse(typed).unwrap(),
                RoomName::parse("python").unwrap(),
                "{typed:?}"
            );
        }
        assert_eq!(RoomName::parse("C#").unwrap().name(), "C#");
        assert!(RoomName::parse("# #").is_err());
    }

    #[test]
    fn slugs_are_idempotent() {
        for name in ["hi", "Off Topic", "日本語", "C++ & C#?", "a--b", "İstanbul"] {
            let once = slug(name);
            assert_eq!(slug(&once), once, "{name}");
        }
    }

    #[test]
    fn a_name_is_rejected_if_it_is_empty_or_too_long_or_only_dots() {
        for bad in ["", "   ", "\u{200b}", "\u{200d}", "...", "/", "-", &"x".repeat(129)] {
            assert!(RoomName::parse(bad).is_err(), "{bad:?}");
        }
        assert!(RoomName::parse(&"ü".repeat(128)).is_ok());
    }

    #[test]
    fn invisible_characters_do_not_make_a_different_name() {
        for same in [
            "h\u{202e}i\u{200b}",
            "\u{ad}h\u{34f}i",
            "hi\u{61c}\u{3164}",
            "h\u{180b}i\u{2800}",
            "\u{1d173}hi",
        ] {
            assert_eq!(RoomName::parse(same).unwrap(), RoomName::parse("hi").unwrap(), "{same:?}");
        }
        assert_eq!(RoomName::parse("e\u{200b}\u{301}").unwrap(), RoomName::parse("é").unwrap());
    }

    #[test]
    fn a_text_keeps_its_lines_and_loses_control_characters() {
        assert_eq!(MessageText::parse("\r\n  a\r\nb\u{0} \n").unwrap().as_str(), "  a\nb");
        assert!(MessageText::parse(&"😀".repeat(8_000)).is_ok());
        for bad in [
            "",
            " \n\t ",
            "\u{200b}\u{feff}",
            "\u{200d}\u{fe0f}",
            "\u{2800} \u{16fe4}",
            "\u{0}",
            &"x".repeat(8_001),
        ] {
            assert!(MessageText::parse(bad).is_err(), "{:?}", &bad[..bad.len().min(9)]);
        }
    }
}
