//! What messages say, by every three characters in a row: so that a search reads what it finds, and
//! not the whole history.
//!
//! PostgreSQL keeps such an index by itself. On SQLite it is a table, `chat_search`, to which
//! messages are added [`BATCH`] at a time: one by one each would cost more than all the rest of its
//! commit. Those that are not in it yet are the newest, and are read.
//!
//! What the index says is looked up in the message itself: an entry that is out of date finds
//! nothing, and is in nobody's way.

use bellwire_site::LookupExt;
use sea_orm::{ConnectionTrait, DbBackend, Statement, Value};

use crate::ChatError;

/// How many messages the index is behind at most, but for one batch.
const BATCH: i64 = 64;

/// The last message that is in the index: all before it are, and none after it.
const LAST: &str = "COALESCE((SELECT rowid FROM chat_search ORDER BY rowid DESC LIMIT 1), 0)";

/// What this person may read. By `+` the list of rooms is no reason to read and sort all that is in
/// them.
const READABLE: &str = "+m.room_id IN (SELECT id FROM chat_rooms WHERE kind = 'open' \
     UNION SELECT room_id FROM chat_memberships WHERE user_id = $1 AND is_member) \
     AND m.deleted_at IS NULL AND m.folded LIKE $2 ESCAPE '\\'";

/// Takes note of a new message: the last of a batch brings the index up to date.
///
/// # Errors
/// The database's.
pub(super) async fn note_new(db: &impl ConnectionTrait, id: i64) -> Result<(), ChatError> {
    match id % BATCH {
        0 => note_all(db).await,
        _ => Ok(()),
    }
}

/// Brings the index up to date.
///
/// # Errors
/// The database's.
pub(super) async fn note_all(db: &impl ConnectionTrait) -> Result<(), ChatError> {
    let all = format!(
        "INSERT INTO chat_search (rowid, text) SELECT id, folded FROM chat_messages WHERE id > {LAST} ORDER BY id"
    );
    on_sqlite(db, &all, []).await
}

/// Puts a message's other text, or that it has none any more, into the index, if the message is in
/// there.
///
/// # Errors
/// The database's.
pub(super) async fn note_changed(db: &impl ConnectionTrait, id: i64) -> Result<(), ChatError> {
    let one = format!(
        "INSERT OR REPLACE INTO chat_search (rowid, text) SELECT id, folded FROM chat_messages WHERE id = $1 AND id <= {LAST}"
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

/// On SQLite: the newest living messages that this person may read and whose folded text is `LIKE`
/// this pattern. They contain this text.
///
/// # Errors
/// The database's.
pub(super) async fn on_sqlite_found(
    db: &impl ConnectionTrait,
    person: i64,
    text: &str,
    pattern: &str,
    most: u64,
) -> Result<Vec<i64>, ChatError> {
    let ask = async |sql: &str, more: Option<String>| -> Result<Vec<i64>, ChatError> {
        let values = [Value::from(person), pattern.into()].into_iter().chain(more.map(Value::from));
        let found = Statement::from_sql_and_values(DbBackend::Sqlite, sql, values);
        let found = db.query_all_raw(found).await.none_if_unstorable()?;
        Ok(found.iter().map(|row| row.try_get("", "id")).collect::<Result<_, _>>()?)
    };
    let Some(trigrams) = trigrams(text) else {
        // Too short for the index: the history is read from its end, as far as there is something
        // to find.
        let all = format!(
            "SELECT m.id FROM chat_messages m WHERE {READABLE} ORDER BY m.id DESC LIMIT {most}"
        );
        return ask(&all, None).await;
    };
    let newest = format!(
        "SELECT m.id FROM chat_messages m WHERE m.id > {LAST} AND {READABLE} ORDER BY m.id DESC LIMIT {most}"
    );
    let mut found = ask(&newest, None).await?;
    let most = most.saturating_sub(found.len() as u64);
    let indexed = format!(
        "SELECT m.id FROM chat_search s JOIN chat_messages m ON m.id = s.rowid WHERE s.chat_search MATCH $3 AND {READABLE} \
         ORDER BY s.rowid DESC LIMIT {most}"
    );
    found.extend(ask(&indexed, Some(trigrams)).await?);
    Ok(found)
}

/// Every three characters in a row, as the index is asked for all of them; none if there are fewer.
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
    fn a_text_is_asked_for_by_every_three_characters_and_quotes_are_nothing_special() {
        assert_eq!(trigrams("moon").unwrap(), r#""moo" "oon""#);
        assert_eq!(trigrams("öß猫").unwrap(), r#""öß猫""#);
        assert_eq!(trigrams(r#"a"b"#).unwrap(), r#""a""b""#);
        assert_eq!(trigrams("ab"), None);
    }
}
