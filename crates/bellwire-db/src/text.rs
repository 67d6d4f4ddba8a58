//! Text that a database cannot hold.
//!
//! PostgreSQL refuses U+0000 in text and SQLite does not. Here neither gets any, so that both hold
//! the same, and what is asked for by such a text was never stored.

use sea_orm::{DbErr, RuntimeErr, Statement, Value};

use crate::outage::in_sqlx;

/// Why a statement was not sent.
#[derive(Debug, thiserror::Error)]
#[error("a text with U+0000 in it was to be stored or looked for")]
struct Unstorable;

/// Lets through what both databases take. Asked before a statement is sent: PostgreSQL would give
/// up the whole transaction.
pub(crate) fn check(statement: &Statement) -> Result<(), DbErr> {
    match statement.values.iter().flat_map(|values| &values.0).any(has_nul) {
        false => Ok(()),
        true => {
            let refused = sqlx::Error::Encode(Box::new(Unstorable));
            Err(DbErr::Query(RuntimeErr::SqlxError(refused.into())))
        }
    }
}

pub(crate) fn is_unstorable(error: &DbErr) -> bool {
    matches!(in_sqlx(error), Some(sqlx::Error::Encode(cause)) if cause.is::<Unstorable>())
}

fn has_nul(value: &Value) -> bool {
    match value {
        Value::String(Some(text)) => text.contains('\0'),
        Value::Char(character) => *character == Some('\0'),
        _ => false,
    }
}

/// What was found by a text that comes from outside, such as an address or a name that somebody
/// typed.
///
/// ```
/// # use bellwire_db::LookupExt;
/// # use sea_orm::{ConnectionTrait, DbErr, QueryResult, Statement};
/// # async fn called(db: &impl ConnectionTrait, name: &str) -> Result<Option<QueryResult>, DbErr> {
/// let sql = "SELECT id FROM users WHERE name = $1";
/// let asked = Statement::from_sql_and_values(db.get_database_backend(), sql, [name.into()]);
/// db.query_one_raw(asked).await.none_if_unstorable()
/// # }
/// ```
pub trait LookupExt: Sized {
    /// Nothing, where the text is one that no database can hold (U+0000): it was never stored.
    /// Without this it is an error, [`DbError::Unstorable`](crate::DbError::Unstorable).
    #[must_use]
    fn none_if_unstorable(self) -> Self;
}

impl<T: Default> LookupExt for Result<T, DbErr> {
    fn none_if_unstorable(self) -> Self {
        self.or_else(|error| if is_unstorable(&error) { Ok(T::default()) } else { Err(error) })
    }
}
