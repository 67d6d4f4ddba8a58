//! Trigram index of messages, so that a search reads its results rather than the whole history.
//!
//! PostgreSQL maintains such an index by itself. On SQLite it is a table, `chat_search`, to which
//! messages are added [`BATCH`] at a time: adding each one alone would cost more than the rest of
//! its commit. The newest messages, which are not in the index yet, are scanned.
//!
//! Each result of the index is checked against the message itself, so an outdated entry does no
//! harm.

use bellwire_site::LookupExt;
use sea_orm::{ConnectionTrait, DbBackend, Statement, Value};

use crate::ChatError;

/// The index is updated with every message whose id is a multiple of this, so it usually lacks
/// fewer messages than this.
const BATCH: i64 = 64;

/// The id of the last message in the index. All messages before it are in the index, and none
/// after.
const LAST: &str = "COALESCE((SELECT rowid FROM chat_search ORDER BY rowid DESC LIMIT 1), 0)";

/// The condition for messages that the user may read. The `+` prevents SQLite from using the index
/// on `room_id`, which would read and sort all messages of the rooms.
const READABLE: &str = "+m.room_id IN (SELECT id FROM chat_rooms WHERE kind = 'open' \
     UNION SELECT room_id FROM chat_memberships WHERE user_id = $1 AND is_member) \
     AND m.deleted_at IS NULL AND m.folded LIKE $2 ESCAPE '\\'";

/// Handles a new message: the last one of a batch updates the index.
///
/// # Errors
/// If the database fails.
pub(super) async fn index_new(db: &impl ConnectionTrait, id: i64) -> Result<(), ChatError> {
    match id % BATCH {
        0 => index_all(db).await,
        _ => Ok(()),
    }
}

/// Adds all messages to the index that are not in it.
///
/// # Errors
/// If the database fails.
pub(super) async fn index_all(db: &impl ConnectionTrait) -> Result<(), ChatError> {
    let all = format!(
        "INSERT INTO chat_search (rowid, text) \
         SELECT id, folded FROM chat_messages WHERE id > {LAST} ORDER BY id"
    );
    on_sqlite(db, &all, []).await
}

/// Updates the index after an edit or a deletion, if the message is in it.
///
/// # Errors
/// If the database fails.
pub(super) async fn index_changed(db: &impl ConnectionTrait, id: i64) -> Result<(), ChatError> {
    let one = format!(
        "INSERT OR REPLACE INTO chat_search (rowid, text) \
         SELECT id, folded FROM chat_messages WHERE id = $1 AND id <= {LAST}"
    );
    on_sqlite(db, &one, [id.into()]).await
}

async fn on_sqlite<const N: usize>(
    db: &impl ConnectionTrait,
    sql: &str,
    values: [Value; N],
) -> Result<(), ChatError> {
    if db.get_database_backend() == DbBackend::Sqlite {
        db.execute_raw(Statement::from_sql_and_values(DbBackend::Sqlite, sql, values)).await?;
    }
    Ok(())
}

/// On SQLite, returns the ids of the newest `most` messages that the user may read and whose folded
/// text is `LIKE` this pattern, which matches texts that contain `text`.
///
/// # Errors
/// If the database fails.
pub(super) async fn find_on_sqlite(
    db: &impl ConnectionTrait,
    person: i64,
    text: &str,
    pattern: &str,
    most: u64,
) -> Result<Vec<i64>, ChatError> {
    let query = async |sql: &str, more: Option<String>| -> Result<Vec<i64>, ChatError> {
        let values = [Value::from(person), pattern.into()].into_iter().chain(more.map(Value::from));
        let found = Statement::from_sql_and_values(DbBackend::Sqlite, sql, values);
        let found = db.query_all_raw(found).await.none_if_unstorable()?;
        Ok(found.iter().map(|row| row.try_get("", "id")).collect::<Result<_, _>>()?)
    };
    let Some(trigrams) = trigrams(text) else {
        // The text is too short for the index: read the history backwards until there are enough
        // results.
        let all = format!(
            "SELECT m.id FROM chat_messages m WHERE {READABLE} ORDER BY m.id DESC LIMIT {most}"
        );
        return query(&all, None).await;
    };
    let newest = format!(
        "SELECT m.id FROM chat_messages m WHERE m.id > {LAST} AND {READABLE} \
         ORDER BY m.id DESC LIMIT {most}"
    );
    let mut found = query(&newest, None).await?;
    let most = most.saturating_sub(found.len() as u64);
    let indexed = format!(
        "SELECT m.id FROM chat_search s JOIN chat_messages m ON m.id = s.rowid \
         WHERE s.chat_search MATCH $3 AND {READABLE} \
         ORDER BY s.rowid DESC LIMIT {most}"
    );
    found.extend(query(&indexed, Some(trigrams)).await?);
    Ok(found)
}

/// Builds a query of the index for all trigrams of the text, or `None` if it has fewer than three
/// characters.
fn trigrams(text: &str) -> Option<String> {
    let characters: Vec<char> = text.chars().collect();
    let threes = characters.windows(3);
    let quoted: Vec<_> = threes
        .map(|three| format!("\"{}\"", String::from_iter(three).replace('"', "\"\"")))
        .collect();
    (!quoted.is_empty()).then(|| quoted.join(" "))
}

#[cfg(test)]
mod tests {
    use super::trigrams;

    #[test]
    fn a_query_contains_every_trigram_and_escapes_quotes() {
        assert_eq!(trigrams("moon").unwrap(), r#""moo" "oon""#);
        assert_eq!(trigrams("öß猫").unwrap(), r#""öß猫""#);
        assert_eq!(trigrams(r#"a"b"#).unwrap(), r#""a""b""#);
        assert_eq!(trigrams("ab"), None);
    }
}
