//! Validation and comparison of names and e-mail addresses.

use bellwire_web::markup::{Case, fold, is_invisible, is_joiner};
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// The maximum length of a name, in characters.
const LONGEST: usize = 64;

/// The maximum length of an e-mail address, in bytes (RFC 5321).
pub(super) const LONGEST_EMAIL: usize = 254;

/// A valid name: the displayed form, and the key under which it is unique.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Name {
    pub(super) shown: String,
    pub(super) key: String,
}

impl Name {
    /// Validates a name as typed.
    ///
    /// # Errors
    /// The error text for the person.
    pub(super) fn new(typed: &str) -> Result<Self, &'static str> {
        let shown: String = typed.trim().nfc().collect();
        let key = name_key(&shown);
        if shown.is_empty() {
            Err("Please type a name.")
        } else if shown.chars().count() > LONGEST {
            Err("At most 64 characters, please.")
        } else if shown.contains('@') || key.contains('@') {
            Err("A name cannot contain @. The e-mail address has its own field.")
        } else if !starts_visibly(&shown)
            || shown.chars().any(|c| c.is_control() || is_invisible(c))
        {
            Err("Please use visible characters only.")
        } else {
            Ok(Self { shown, key })
        }
    }
}

/// The key of a name. Names with the same key are the same name: Unicode compatibility forms, case
/// and inner whitespace make no difference.
///
/// Case is folded by lower-casing, so `STRASSE` and `Straße` stay two names.
pub fn name_key(name: &str) -> String {
    let folded: String = fold(name, Case::Lower).chars().filter(|c| !is_joiner(*c)).collect();
    folded.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Validates an e-mail address. Returns it as typed, with its key; `None` if it is empty.
///
/// # Errors
/// The error text for the person.
pub(super) fn email(typed: &str) -> Result<Option<(String, String)>, &'static str> {
    let email = typed.trim();
    if email.is_empty() {
        return Ok(None);
    }
    let halves = email.split_once('@').filter(|(name, host)| !name.is_empty() && !host.is_empty());
    let one_at = halves.is_some() && email_key(email).matches('@').count() == 1;
    let has_invalid = email.chars().any(|c| c.is_whitespace() || c.is_control() || is_invisible(c));
    if !one_at || has_invalid || email.len() > LONGEST_EMAIL {
        return Err("This does not look like an e-mail address.");
    }
    Ok(Some((email.to_owned(), email_key(email))))
}

pub(super) fn email_key(email: &str) -> String {
    fold(email.trim(), Case::Lower)
}

/// Whether a name begins with a character that is visible by itself. A leading combining mark would
/// attach to the text before the name.
fn starts_visibly(name: &str) -> bool {
    let is_visible =
        |c: char| !is_combining_mark(c) && !is_joiner(c) && !is_invisible(c) && !c.is_whitespace();
    name.chars().next().is_some_and(is_visible)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_every_script_are_accepted() {
        for good in [
            "Ada",
            "Zoë Müller",
            "王小明",
            "محمد",
            "می‌خواهم",
            "🦊",
            "👩‍🚀 Sally",
            "O’Neill",
            "q\u{307}",
            "नमस्ते",
            "สวัสดี",
            "①",
            "a",
            &"x".repeat(64),
        ] {
            assert!(Name::new(good).is_ok(), "{good}");
        }
    }

    #[test]
    fn deceptive_and_invisible_names_are_refused() {
        let long = "x".repeat(65);
        for bad in [
            "",
            "  ",
            "a\nb",
            "a\0",
            "a@b",
            "a＠b",
            "ad\u{202E}a",
            "\u{2066}x",
            "\u{200D}",
            "\u{3164}",
            "a\u{200B}b",
            "\u{2800}",
            "a\u{180B}b",
            "a\u{180F}b",
            "a\u{16FE4}b",
            "a\u{1BCA3}b",
            "a\u{1D173}b",
            "a\u{1D17A}b",
            "a\u{13442}b",
            "a\u{2800}b",
            "\u{1D159}",
            "\u{13441}",
            "\u{301}",
            "\u{301}Ada",
            "\u{488}",
            "\u{20DD}\u{20DD}",
            "\u{FE0F}a",
            "\u{200C}Ada",
            &long,
        ] {
            assert!(Name::new(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn variants_of_a_name_have_the_same_key() {
        let key = Name::new("Ada Lovelace").unwrap().key;
        for same in ["ada lovelace", " ADA  LOVELACE ", "Ａｄａ Lovelace", "Ada\u{A0}Lovelace"] {
            assert_eq!(Name::new(same).unwrap().key, key, "{same}");
        }
        assert_eq!(name_key("Zoe\u{308}"), name_key("ZOË"));
    }

    #[test]
    fn an_email_address_has_a_local_part_and_a_host() {
        assert_eq!(email(" Ada@Example.org ").unwrap().unwrap().1, "ada@example.org");
        assert_eq!(email("  "), Ok(None));
        for bad in ["ada", "@x", "a@", "a@b@c", "a b@c", "a@b\u{202E}"] {
            assert!(email(bad).is_err(), "{bad:?}");
        }
    }
}
