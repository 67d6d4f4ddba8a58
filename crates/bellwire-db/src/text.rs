//! Refusal of text that cannot be stored.
//!
//! PostgreSQL refuses U+0000 in text; SQLite accepts it. This crate refuses it for both, so that
//! they behave alike. A lookup by such a text finds nothing, because it was never stored.

use sea_orm::{DbErr, RuntimeErr, Statement, Value};

use crate::outage::in_sqlx;

/// The error for a statement that was not sent.
#[derive(Debug, thiserror::Error)]
#[error("a value of the statement contains U+0000")]
struct Unstorable;

/// Refuses a statement whose values contain U+0000. Checked before the statement is sent, because
/// PostgreSQL would abort the whole transaction.
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

/// Extends the result of a lookup by untrusted text, such as a path or a name that a person typed.
///
/// ```
/// # use bellwire_db::LookupExt;
/// # use sea_orm::{ConnectionTrait, DbErr, QueryResult, Statement};
/// # async fn find(db: &impl ConnectionTrait, name: &str) -> Result<Option<QueryResult>, DbErr> {
/// let sql = "SELECT id FROM users WHERE name = $1";
/// let query = Statement::from_sql_and_values(db.get_database_backend(), sql, [name.into()]);
/// db.query_one_raw(query).await.none_if_unstorable()
/// # }
/// ```
pub trait LookupExt: Sized {
    /// Returns an empty result if the text contains U+0000, since such a text was never stored.
    /// Otherwise this would be the error [`DbError::Unstorable`](crate::DbError::Unstorable).
    #[must_use]
    fn none_if_unstorable(self) -> Self;
}

impl<T: Default> LookupExt for Result<T, DbErr> {
    fn none_if_unstorable(self) -> Self {
        self.or_else(|error| if is_unstorable(&error) { Ok(T::default()) } else { Err(error) })
    }
}
