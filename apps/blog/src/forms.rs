//! What valid input is.

use bellwire_site::bellwire::Invalid;
use bellwire_site::markup::{is_invisible, is_joiner, shows};
use unicode_normalization::UnicodeNormalization;

/// The longest title, in characters.
const TITLE_CHARS: usize = 200;
/// The longest article, in characters. In the widest script it still fits the body of a request.
pub(crate) const ARTICLE_CHARS: usize = 20_000;
/// The longest name under a comment, in characters.
pub(crate) const AUTHOR_CHARS: usize = 100;
/// The longest comment, in characters.
pub(crate) const COMMENT_CHARS: usize = 4_000;
/// The longest search, in characters; the rest of a longer one is left out.
const SEARCH_CHARS: usize = 200;
/// What an address is made of where a title has nothing for it: dots and dashes only.
const NAMELESS: &str = "article";

/// The title of an article, and the part of its address that is made from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Title {
    title: String,
    slug: String,
}

impl Title {
    /// Checks a title as it was typed: 1 to 200 characters of any script.
    ///
    /// # Errors
    /// What to say beside the field `title`.
    pub fn parse(typed: &str) -> Result<Self, Invalid> {
        let title = one_line(typed);
        match title.chars().count() {
            _ if !shows(&title) => Err(Invalid::field("title", "Give the article a title.")),
            1..=TITLE_CHARS => Ok(Self { slug: slug_of(&title), title }),
            long => Err(Invalid::field("title", too_long("A title", TITLE_CHARS, long))),
        }
    }

    /// The title, as shown.
    pub fn as_str(&self) -> &str {
        &self.title
    }

    /// The title, as an address: lower case, without slashes and spaces.
    pub fn slug(&self) -> &str {
        &self.slug
    }
}

/// The text of an article, in Markdown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArticleText(String);

impl ArticleText {
    /// Checks a text as it was typed: something visible, at most 20,000 characters.
    ///
    /// # Errors
    /// What to say beside the field `content`.
    pub fn parse(typed: &str) -> Result<Self, Invalid> {
        text(typed, "An article", "Write the article first.", ARTICLE_CHARS).map(Self)
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The name under a comment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthorName(String);

impl AuthorName {
    /// Checks a name as it was typed: 1 to 100 characters of any script.
    ///
    /// # Errors
    /// What to say beside the field `author`.
    pub fn parse(typed: &str) -> Result<Self, Invalid> {
        let name = one_line(typed);
        match name.chars().count() {
            _ if !shows(&name) => Err(Invalid::field("author", "Please type your name.")),
            1..=AUTHOR_CHARS => Ok(Self(name)),
            long => Err(Invalid::field("author", too_long("A name", AUTHOR_CHARS, long))),
        }
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The text of a comment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommentText(String);

impl CommentText {
    /// Checks a text as it was typed: something visible, at most 4,000 characters.
    ///
    /// # Errors
    /// What to say beside the field `content`.
    pub fn parse(typed: &str) -> Result<Self, Invalid> {
        text(typed, "A comment", "Write something first.", COMMENT_CHARS).map(Self)
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What is looked for: one line, as it was typed. An empty one looks for nothing in particular.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sought(String);

impl Sought {
    /// Takes what was typed. There is nothing wrong with any search; too long a one is cut.
    pub fn parse(typed: &str) -> Self {
        Self(
            typed
                .split_whitespace()
                .collect::<Vec<_>>()
                .join(" ")
                .chars()
                .filter(|c| !c.is_control())
                .take(SEARCH_CHARS)
                .collect(),
        )
    }

    /// What was typed.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether nothing in particular is looked for.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Composed characters, single spaces, and nothing that only pretends to be there.
fn one_line(typed: &str) -> String {
    let line: String = typed.chars().filter(|c| !is_invisible(*c)).nfc().collect();
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn text(typed: &str, what: &str, empty: &str, fits: usize) -> Result<String, Invalid> {
    let text = typed.replace("\r\n", "\n").replace('\r', "\n");
    // No database takes NUL, and no screen the rest.
    let text: String =
        text.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).collect();
    let text = text.trim_end().trim_start_matches('\n');
    if !shows(text) {
        return Err(Invalid::field("content", empty));
    }
    match text.chars().count() {
        long if long > fits => Err(Invalid::field("content", too_long(what, fits, long))),
        _ => Ok(text.to_owned()),
    }
}

/// Lower case letters, digits and signs of any script, with dashes where there was something else.
fn slug_of(title: &str) -> String {
    let stays = |c: char| {
        c.is_alphanumeric() || is_joiner(c) || bellwire_site::markup::attaches(c) || is_picture(c)
    };
    let lower = title.to_lowercase();
    let words = lower.split(|c: char| !stays(c)).filter(|word| shows(word));
    match words.collect::<Vec<_>>().join("-") {
        slug if slug.is_empty() => NAMELESS.to_owned(),
        slug => slug,
    }
}

/// Emoji and other pictures.
fn is_picture(c: char) -> bool {
    matches!(c, '\u{2190}'..='\u{2bff}' | '\u{1f000}'..='\u{1faff}')
}

fn too_long(what: &str, fits: usize, has: usize) -> String {
    format!("{what} holds at most {fits} characters; this one has {has}.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_has_an_address_in_any_script() {
        for (title, expected) in [
            ("Hello", "hello"),
            ("  Tea,   and cake! ", "tea-and-cake"),
            ("C++ & C#?", "c-c"),
            ("../../etc/passwd", "etc-passwd"),
            ("100% “real”", "100-real"),
            ("Повільне читання", "повільне-читання"),
            ("日本語の本", "日本語の本"),
            ("हिन्दी में", "हिन्दी-में"),
            ("مرحبا بكم", "مرحبا-بكم"),
            ("👩‍🚀 up", "👩‍🚀-up"),
            ("-", "article"),
            ("...", "article"),
            ("?!", "article"),
        ] {
            assert_eq!(Title::parse(title).unwrap().slug(), expected, "{title}");
        }
        assert_eq!(
            Title::parse("Cafe\u{301}").unwrap(),
            Title::parse("Café").unwrap(),
            "one title, however it is typed"
        );
    }

    #[test]
    fn a_title_is_refused_when_nobody_sees_it_or_it_is_too_long() {
        for bad in ["", "   ", "\u{200b}", "\u{200d}", "\u{0}", &"x".repeat(201)] {
            assert!(Title::parse(bad).is_err(), "{bad:?}");
        }
        assert!(Title::parse(&"ü".repeat(200)).is_ok());
    }

    #[test]
    fn a_comment_needs_a_name_and_a_text_that_fit() {
        assert_eq!(AuthorName::parse(" \u{202e}Ada\u{0}  L. ").unwrap().as_str(), "Ada L.");
        assert_eq!(CommentText::parse("\r\n a\r\nb\u{0} \n").unwrap().as_str(), " a\nb");
        assert!(
            CommentText::parse(&"😀".repeat(4_000)).is_ok()
                && AuthorName::parse(&"😀".repeat(100)).is_ok()
        );
        for bad in
            ["", " \n\t ", "\u{200b}\u{feff}", "\u{200d}\u{fe0f}", "\u{0}", &"x".repeat(4_001)]
        {
            assert!(
                CommentText::parse(bad).is_err() && AuthorName::parse(bad).is_err(),
                "{:?}",
                bad.len()
            );
        }
        assert!(
            ArticleText::parse(&"字".repeat(20_000)).is_ok()
                && ArticleText::parse(&"字".repeat(20_001)).is_err()
        );
    }

    #[test]
    fn a_search_is_one_line_that_ends_somewhere() {
        assert_eq!(Sought::parse("  a \n b\u{0} ").as_str(), "a b");
        assert!(Sought::parse(" \t").is_empty());
        assert_eq!(Sought::parse(&"é".repeat(1_000)).as_str().chars().count(), 200);
    }
}
