//! What articles are found by. The one door to two databases: FTS5 of SQLite and the text search of
//! PostgreSQL.
//!
//! Neither knows every script. So the words are made here, and each is spelled in the letters `a`
//! to `p` before a database sees it: both then find the same, and nothing that somebody types has a
//! meaning in the language of either.

use sea_orm::sea_query::{Expr, SimpleExpr};
use sea_orm::{ConnectionTrait, DbBackend, DbErr, Statement};
use unicode_normalization::UnicodeNormalization;

use bellwire_site::markup::{Case, attaches, fold};

/// The most words of a search that are looked for.
const WORDS: usize = 16;
/// The longest word that is told from others, in bytes.
const WORD_BYTES: usize = 96;

/// Notes what an article is found by, instead of what it was.
pub(super) async fn index(
    db: &impl ConnectionTrait,
    article: i64,
    text: &str,
) -> Result<(), DbErr> {
    let words = spelled(text);
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

/// The condition for articles in which all these words are, the last of them as far as it is typed.
pub(super) fn has(backend: DbBackend, sought: &str) -> SimpleExpr {
    let words = sought_words(sought);
    if words.is_empty() {
        return Expr::val(false);
    }
    match backend {
        DbBackend::Postgres => Expr::cust_with_values(
            "\"blog_articles\".\"id\" IN (SELECT \"article_id\" FROM \"blog_search\" WHERE \"words\" @@ to_tsquery('simple', $1))",
            [joined(&words, " & ", ":*")],
        ),
        _ => Expr::cust_with_values(
            "\"blog_articles\".\"id\" IN (SELECT \"rowid\" FROM \"blog_search\" WHERE \"blog_search\" MATCH ?)",
            [joined(&words, " AND ", "*")],
        ),
    }
}

fn joined(words: &[String], and: &str, begins: &str) -> String {
    format!("{}{begins}", words.join(and))
}

/// All words of a text, each once, as the databases see them.
fn spelled(text: &str) -> String {
    let mut words: Vec<String> =
        runs(text).iter().flat_map(Run::indexed).map(|word| spell(&word)).collect();
    words.sort_unstable();
    words.dedup();
    words.join(" ")
}

fn sought_words(sought: &str) -> Vec<String> {
    let mut words: Vec<String> =
        runs(sought).iter().flat_map(Run::sought).map(|word| spell(&word)).collect();
    words.truncate(WORDS);
    words
}

/// A word, or a run of a script that puts no spaces between them: there every two neighbours are
/// one.
#[derive(Debug, PartialEq)]
enum Run {
    Word(String),
    Unspaced(Vec<String>),
}

impl Run {
    fn indexed(&self) -> Vec<String> {
        match self {
            Self::Word(word) => vec![word.clone()],
            // The last character begins no pair, and can be looked for all the same.
            Self::Unspaced(characters) => {
                pairs(characters).chain(characters.last().cloned()).collect()
            }
        }
    }

    fn sought(&self) -> Vec<String> {
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

/// Case, width and accents make no difference. So it is stored: `Case::Full` would differ for `ς`.
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

/// Each byte as two of sixteen letters: what begins alike is spelled alike at its beginning.
fn spell(word: &str) -> String {
    let letter = |half: u8| char::from(b'a' + half);
    word.bytes().take(WORD_BYTES).flat_map(|byte| [letter(byte >> 4), letter(byte & 15)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finds(text: &str, sought: &str) -> bool {
        let (indexed, sought) = (spelled(text), sought_words(sought));
        let Some((last, whole)) = sought.split_last() else { return false };
        let mut words = indexed.split(' ');
        whole.iter().all(|word| indexed.split(' ').any(|each| each == word))
            && words.any(|word| word.starts_with(last))
    }

    #[test]
    fn words_of_any_script_are_found_by_how_they_begin() {
        for (text, sought) in [
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
            assert!(finds(text, sought), "{text}: {sought}");
        }
        for (text, sought) in [
            ("Slow bread", "low"),
            ("日本語", "本日"),
            ("bread", "breads"),
            ("a b", "c"),
            ("a", "?!"),
        ] {
            assert!(!finds(text, sought), "{text}: {sought}");
        }
    }

    #[test]
    fn a_database_sees_nothing_but_letters_whatever_is_looked_for() {
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
            for word in sought_words(hostile) {
                assert!(
                    !word.is_empty() && word.bytes().all(|b| (b'a'..=b'p').contains(&b)),
                    "{hostile}: {word}"
                );
            }
        }
        assert_eq!(sought_words(&"a ".repeat(100)).len(), WORDS);
        assert!(spell(&"x".repeat(1_000)).len() <= 2 * WORD_BYTES);
    }
}
