//! Unread counts of one user in any number of rooms, by one query.

use std::collections::HashMap;

use sea_orm::sea_query::{Asterisk, Expr, ExprTrait, Func, Query, SelectStatement};
use sea_orm::{ConnectionTrait, FromQueryResult};

use super::{UNREAD, membership, mention, message, room};
use crate::ChatError;

/// The unread counts of a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, FromQueryResult)]
pub(crate) struct Counts {
    room: i64,
    /// The sequence number up to which the user has read, if the user was ever in the room.
    pub(crate) read: Option<i64>,
    /// The number of unread messages of others, up to [`UNREAD`]; 0 for a user who was never in the
    /// room.
    pub(crate) unread: i64,
    /// The number of unread mentions, up to [`UNREAD`], also for a user who was never in the room.
    pub(crate) mentions: i64,
}

impl Counts {
    /// Counts what the user has not read in these rooms.
    ///
    /// # Errors
    /// If the database fails.
    pub(crate) async fn of(
        db: &impl ConnectionTrait,
        person: i64,
        rooms: Vec<i64>,
    ) -> Result<HashMap<i64, Self>, ChatError> {
        let here = || Expr::col((room::Entity, room::Column::Id));
        let read = || Expr::col((membership::Entity, membership::Column::LastReadSeq));
        let theirs = Expr::col((membership::Entity, membership::Column::RoomId))
            .eq(here())
            .and(Expr::col((membership::Entity, membership::Column::UserId)).eq(person));
        let query = Query::select()
            .expr_as(here(), "room")
            .expr_as(read(), "read")
            .expr_as(capped_count(unread_messages(person, here(), read())), "unread")
            .expr_as(capped_count(unread_mentions(person, here(), read())), "mentions")
            .from(room::Entity)
            .left_join(membership::Entity, theirs)
            .and_where(here().is_in(rooms))
            .to_owned();
        let rows = db.query_all(&query).await?;
        let counts = rows.iter().map(|row| Self::from_query_result(row, ""));
        counts.map(|each| each.map(|each| (each.room, each)).map_err(ChatError::from)).collect()
    }
}

/// Selects messages of others after this sequence number, without deleted ones; none if it is
/// `NULL`.
fn unread_messages(person: i64, room: Expr, since: Expr) -> SelectStatement {
    let of = |column| Expr::col((message::Entity, column));
    Query::select()
        .expr(of(message::Column::Id))
        .from(message::Entity)
        .and_where(of(message::Column::RoomId).eq(room))
        .and_where(of(message::Column::Seq).gt(since))
        .and_where(of(message::Column::AuthorId).ne(person))
        .and_where(of(message::Column::DeletedAt).is_null())
        .order_by((message::Entity, message::Column::Seq), sea_orm::Order::Asc)
        .to_owned()
}

/// Selects mentions of the user after this sequence number, or all if it is `NULL`.
fn unread_mentions(person: i64, room: Expr, since: Expr) -> SelectStatement {
    let of = |column| Expr::col((mention::Entity, column));
    Query::select()
        .expr(of(mention::Column::Seq))
        .from(mention::Entity)
        .and_where(of(mention::Column::UserId).eq(person))
        .and_where(of(mention::Column::RoomId).eq(room))
        .and_where(of(mention::Column::Seq).gt(Func::coalesce([since, Expr::val(0)])))
        .to_owned()
}

/// Counts these rows, reading at most [`UNREAD`] of them.
fn capped_count(mut rows: SelectStatement) -> Expr {
    let some = rows.limit(UNREAD).to_owned();
    let count = Query::select()
        .expr(Func::count(Expr::col(Asterisk)))
        .from_subquery(some, "some")
        .to_owned();
    Expr::SubQuery(None, Box::new(count.into()))
}
