//! Full-text search. Wraps the search engines of both databases: FTS5 of SQLite and the text search
//! of PostgreSQL.
//!
//! Neither engine supports every script. So the text is split into words here, and each word is
//! encoded in the letters `a` to `p`. Both databases then find the same, and no input can contain
//! operators of their query languages.

use sea_orm::sea_query::{Expr, SimpleExpr};
use sea_orm::{ConnectionTrait, DbBackend, DbErr, Statement};
use unicode_normalization::UnicodeNormalization;

use bellwire_site::markup::{Case, attaches, fold};

/// The most words of a search query; further ones are ignored.
const WORDS: usize = 16;
/// The significant length of a word, in bytes.
const WORD_BYTES: usize = 96;

/// Replaces the index entry of an article.
pub(super) async fn index(
    db: &impl ConnectionTrait,
    article: i64,
    text: &str,
) -> Result<(), DbErr> {
    let words = encoded_words(text);
    let backend = db.get_database_backend();
    let sql = match backend {
        DbBackend::Postgres => {
            "INSERT INTO blog_search (article_id, words) VALUES ($1, to_tsvector('simple', $2)) \
             ON CONFLICT (article_id) DO UPDATE SET words = excluded.words"
        }
        _ => "INSERT OR REPLACE INTO blog_search (rowid, words) VALUES (?, ?)",
    };
    db.execute_raw(Statement::from_sql_and_values(backend, sql, [article.into(), words.into()]))
        .await?;
    Ok(())
}

/// The condition for articles that contain all words of the query. The last word is a prefix, since
/// it may be typed in part.
pub(super) fn matches(backend: DbBackend, query: &str) -> SimpleExpr {
    let words = query_words(query);
    if words.is_empty() {
        return Expr::val(false);
    }
    match backend {
        DbBackend::Postgres => Expr::cust_with_values(
            "\"blog_articles\".\"id\" IN (SELECT \"article_id\" FROM \"blog_search\" \
             WHERE \"words\" @@ to_tsquery('simple', $1))",
            [joined(&words, " & ", ":*")],
        ),
        _ => Expr::cust_with_values(
            "\"blog_articles\".\"id\" IN (SELECT \"rowid\" FROM \"blog_search\" \
             WHERE \"blog_search\" MATCH ?)",
            [joined(&words, " AND ", "*")],
        ),
    }
}

fn joined(words: &[String], and: &str, prefix: &str) -> String {
    format!("{}{prefix}", words.join(and))
}

/// The distinct words of a text, encoded for the databases.
fn encoded_words(text: &str) -> String {
    let mut words: Vec<String> =
        runs(text).iter().flat_map(Run::index_terms).map(|word| encode(&word)).collect();
    words.sort_unstable();
    words.dedup();
    words.join(" ")
}

fn query_words(query: &str) -> Vec<String> {
    let mut words: Vec<String> =
        runs(query).iter().flat_map(Run::query_terms).map(|word| encode(&word)).collect();
    words.truncate(WORDS);
    words
}

/// A word, or a run of characters of a script without spaces between words. In such a run each pair
/// of adjacent characters is a term.
#[derive(Debug, PartialEq)]
enum Run {
    Word(String),
    Unspaced(Vec<String>),
}

impl Run {
    fn index_terms(&self) -> Vec<String> {
        match self {
            Self::Word(word) => vec![word.clone()],
            // The last character starts no pair, and must be found as well.
            Self::Unspaced(characters) => {
                pairs(characters).chain(characters.last().cloned()).collect()
            }
        }
    }

    fn query_terms(&self) -> Vec<String> {
        match self {
            Self::Word(word) => vec![word.clone()],
            Self::Unspaced(characters) if characters.len() == 1 => characters.clone(),
            Self::Unspaced(characters) => pairs(characters).collect(),
        }
    }
}

fn pairs(characters: &[String]) -> impl Iterator<Item = String> {
    characters.windows(2).map(<[String]>::concat)
}

fn runs(text: &str) -> Vec<Run> {
    let mut runs = Vec::new();
    let mut before = Kind::Other;
    for c in folded(text) {
        let kind = if attaches(c) && before != Kind::Other { before } else { Kind::of(c) };
        match (kind, runs.last_mut()) {
            (Kind::Other, _) => {}
            (Kind::Word, Some(Run::Word(word))) if before == kind => word.push(c),
            (Kind::Word, _) => runs.push(Run::Word(c.to_string())),
            (Kind::Unspaced, Some(Run::Unspaced(characters))) if before == kind => {
                match characters.last_mut() {
                    Some(last) if attaches(c) => last.push(c),
                    _ => characters.push(c.to_string()),
                }
            }
            (Kind::Unspaced, _) => runs.push(Run::Unspaced(vec![c.to_string()])),
        }
        before = kind;
    }
    runs
}

/// Folds case, width and accents. The index stores words in this form: `Case::Full` would differ
/// for `ς`.
fn folded(text: &str) -> impl Iterator<Item = char> {
    let lower = fold(text, Case::Lower).replace('ß', "ss").replace('ı', "i");
    let folded: String =
        lower.nfkd().filter(|c| !matches!(c, '\u{300}'..='\u{36f}')).nfc().collect();
    folded.chars().collect::<Vec<_>>().into_iter()
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Word,
    Unspaced,
    Other,
}

impl Kind {
    fn of(c: char) -> Self {
        match c {
            // Thai, Lao, Burmese, Khmer; kana and the characters of Chinese and Japanese; pictures.
            '\u{0e00}'..='\u{0eff}'
            | '\u{1000}'..='\u{109f}'
            | '\u{1780}'..='\u{17ff}'
            | '\u{3005}'..='\u{3007}'
            | '\u{3041}'..='\u{30ff}'
            | '\u{3400}'..='\u{9fff}'
            | '\u{f900}'..='\u{faff}'
            | '\u{2600}'..='\u{27bf}'
            | '\u{1f000}'..='\u{1faff}'
            | '\u{20000}'..='\u{3ffff}'
                if c != '・' =>
            {
                Self::Unspaced
            }
            c if c.is_alphanumeric() => Self::Word,
            _ => Self::Other,
        }
    }
}

/// Encodes each byte as two of sixteen letters, which keeps common prefixes.
fn encode(word: &str) -> String {
    let letter = |half: u8| char::from(b'a' + half);
    word.bytes().take(WORD_BYTES).flat_map(|byte| [letter(byte >> 4), letter(byte & 15)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finds(text: &str, query: &str) -> bool {
        let (indexed, query) = (encoded_words(text), query_words(query));
        let Some((last, whole)) = query.split_last() else { return false };
        let mut words = indexed.split(' ');
        whole.iter().all(|word| indexed.split(' ').any(|each| each == word))
            && words.any(|word| word.starts_with(last))
    }

    #[test]
    fn words_of_any_script_are_found_by_prefix() {
        for (text, query) in [
            ("Slow bread, warm kitchen", "kit"),
            ("Slow bread, warm kitchen", "BREAD w"),
            ("Crème brûlée", "creme brul"),
            ("Straße", "STRASSE"),
            ("İstanbul", "istan"),
            ("Повільне читання", "чит"),
            ("हिन्दी में पढ़ना", "पढ़"),
            ("مرحبا بالعالم", "بالع"),
            ("日本語の本を読む", "本を"),
            ("日本語の本を読む", "む"),
            ("日本語の本を読む", "日本語"),
            ("กินข้าวแล้ว", "ข้าว"),
            ("ﬁne ｗｉｄｅ", "fine wide"),
            ("Party 🎉 tonight", "🎉"),
        ] {
            assert!(finds(text, query), "{text}: {query}");
        }
        for (text, query) in [
            ("Slow bread", "low"),
            ("日本語", "本日"),
            ("bread", "breads"),
            ("a b", "c"),
            ("a", "?!"),
        ] {
            assert!(!finds(text, query), "{text}: {query}");
        }
    }

    #[test]
    fn every_query_is_encoded_in_letters_only() {
        for hostile in [
            "\" OR 1=1 --",
            "a* NOT b",
            "NEAR(a b)",
            "'); DROP TABLE x",
            "a & !b | c:*",
            "^\"",
            "col : x",
            "\\",
            "%_",
        ] {
            for word in query_words(hostile) {
                assert!(
                    !word.is_empty() && word.bytes().all(|b| (b'a'..=b'p').contains(&b)),
                    "{hostile}: {word}"
                );
            }
        }
        assert_eq!(query_words(&"a ".repeat(100)).len(), WORDS);
        assert!(encode(&"x".repeat(1_000)).len() <= 2 * WORD_BYTES);
    }
}
