//! Validated input: titles, articles, author names, comments and search queries.

use bellwire_site::bellwire::Refusal;
use bellwire_site::markup::{is_invisible, is_joiner, shows};
use unicode_normalization::UnicodeNormalization;

/// The longest title, in characters.
const TITLE_CHARS: usize = 200;
/// The longest article, in characters. It fits the request body limit in every script.
pub(crate) const ARTICLE_CHARS: usize = 20_000;
/// The longest author name of a comment, in characters.
pub(crate) const AUTHOR_CHARS: usize = 100;
/// The longest comment, in characters.
pub(crate) const COMMENT_CHARS: usize = 4_000;
/// The longest search query, in characters. A longer one is truncated.
const SEARCH_CHARS: usize = 200;
/// The slug of a title without letters, digits or pictures.
const DEFAULT_SLUG: &str = "article";

/// A validated title of an article, with its slug.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Title {
    title: String,
    slug: String,
}

impl Title {
    /// Validates a submitted title: 1 to 200 characters of any script.
    ///
    /// # Errors
    /// A message for the field `title`.
    pub fn parse(input: &str) -> Result<Self, Refusal> {
        let title = one_line(input);
        match title.chars().count() {
            _ if !shows(&title) => Err(Refusal::field("title", "Give the article a title.")),
            1..=TITLE_CHARS => Ok(Self { slug: slug_of(&title), title }),
            len => Err(Refusal::field("title", too_long("A title", TITLE_CHARS, len))),
        }
    }

    /// The title, as displayed.
    pub fn as_str(&self) -> &str {
        &self.title
    }

    /// The title in an address: lower case, without slashes and spaces.
    pub fn slug(&self) -> &str {
        &self.slug
    }
}

/// A validated text of an article, in Markdown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArticleText(String);

impl ArticleText {
    /// Validates a submitted text: something visible, at most 20,000 characters.
    ///
    /// # Errors
    /// A message for the field `content`.
    pub fn parse(input: &str) -> Result<Self, Refusal> {
        text(input, "An article", "Write the article first.", ARTICLE_CHARS).map(Self)
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A validated author name of a comment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthorName(String);

impl AuthorName {
    /// Validates a submitted name: 1 to 100 characters of any script.
    ///
    /// # Errors
    /// A message for the field `author`.
    pub fn parse(input: &str) -> Result<Self, Refusal> {
        let name = one_line(input);
        match name.chars().count() {
            _ if !shows(&name) => Err(Refusal::field("author", "Please type your name.")),
            1..=AUTHOR_CHARS => Ok(Self(name)),
            len => Err(Refusal::field("author", too_long("A name", AUTHOR_CHARS, len))),
        }
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A validated text of a comment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommentText(String);

impl CommentText {
    /// Validates a submitted text: something visible, at most 4,000 characters.
    ///
    /// # Errors
    /// A message for the field `content`.
    pub fn parse(input: &str) -> Result<Self, Refusal> {
        text(input, "A comment", "Write something first.", COMMENT_CHARS).map(Self)
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A search query: one line. An empty one selects all articles.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SearchQuery(String);

impl SearchQuery {
    /// Normalizes a submitted query. Every input is valid; one of over 200 characters is truncated.
    pub fn parse(input: &str) -> Self {
        Self(
            input
                .split_whitespace()
                .collect::<Vec<_>>()
                .join(" ")
                .chars()
                .filter(|c| !c.is_control())
                .take(SEARCH_CHARS)
                .collect(),
        )
    }

    /// The query.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the query is empty.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Normalizes to composed characters and single spaces, and removes invisible characters.
fn one_line(input: &str) -> String {
    let line: String = input.chars().filter(|c| !is_invisible(*c)).nfc().collect();
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn text(input: &str, what: &str, empty: &str, max: usize) -> Result<String, Refusal> {
    let text = input.replace("\r\n", "\n").replace('\r', "\n");
    // NUL cannot be stored by any of the databases; other control characters are not visible.
    let text: String =
        text.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).collect();
    let text = text.trim_end().trim_start_matches('\n');
    if !shows(text) {
        return Err(Refusal::field("content", empty));
    }
    match text.chars().count() {
        len if len > max => Err(Refusal::field("content", too_long(what, max, len))),
        _ => Ok(text.to_owned()),
    }
}

/// Keeps lower case letters, digits and signs of any script, and replaces the rest by dashes.
fn slug_of(title: &str) -> String {
    let is_kept = |c: char| {
        c.is_alphanumeric() || is_joiner(c) || bellwire_site::markup::attaches(c) || is_picture(c)
    };
    let lower = title.to_lowercase();
    let words = lower.split(|c: char| !is_kept(c)).filter(|word| shows(word));
    match words.collect::<Vec<_>>().join("-") {
        slug if slug.is_empty() => DEFAULT_SLUG.to_owned(),
        slug => slug,
    }
}

/// Whether the character is an emoji or another picture.
fn is_picture(c: char) -> bool {
    matches!(c, '\u{2190}'..='\u{2bff}' | '\u{1f000}'..='\u{1faff}')
}

fn too_long(what: &str, max: usize, len: usize) -> String {
    format!("{what} holds at most {max} characters; this one has {len}.")
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
            "the same title in both normal forms"
        );
    }

    #[test]
    fn an_invisible_or_too_long_title_is_refused() {
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
    fn a_search_query_is_one_line_of_limited_length() {
        assert_eq!(SearchQuery::parse("  a \n b\u{0} ").as_str(), "a b");
        assert!(SearchQuery::parse(" \t").is_empty());
        assert_eq!(SearchQuery::parse(&"é".repeat(1_000)).as_str().chars().count(), 200);
    }
}
