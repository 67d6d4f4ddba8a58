//! What somebody has not read yet, in any number of rooms by one query.

use std::collections::HashMap;

use sea_orm::sea_query::{Asterisk, Expr, ExprTrait, Func, Query, SelectStatement};
use sea_orm::{ConnectionTrait, FromQueryResult};

use super::{UNREAD, membership, mention, message, room};
use crate::ChatError;

/// What is unread in a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, FromQueryResult)]
pub(crate) struct Counts {
    room: i64,
    /// How far it was read, by whoever was there.
    pub(crate) read: Option<i64>,
    /// Messages of others, up to [`UNREAD`]. To those who were never there nothing is unread.
    pub(crate) unread: i64,
    /// Where one is named, up to [`UNREAD`]: this, whoever was never there wants to know, too.
    pub(crate) mentions: i64,
}

impl Counts {
    /// What this person has not read in these rooms.
    ///
    /// # Errors
    /// The database's.
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
            .expr_as(up_to_the_most(said(person, here(), read())), "unread")
            .expr_as(up_to_the_most(named(person, here(), read())), "mentions")
            .from(room::Entity)
            .left_join(membership::Entity, theirs)
            .and_where(here().is_in(rooms))
            .to_owned();
        let rows = db.query_all(&query).await?;
        let counts = rows.iter().map(|row| Self::from_query_result(row, ""));
        counts.map(|each| each.map(|each| (each.room, each)).map_err(ChatError::from)).collect()
    }
}

/// Living messages of others after this place; none where there is no place.
fn said(person: i64, room: Expr, since: Expr) -> SelectStatement {
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

/// Where this person is named after this place, or anywhere.
fn named(person: i64, room: Expr, since: Expr) -> SelectStatement {
    let of = |column| Expr::col((mention::Entity, column));
    Query::select()
        .expr(of(mention::Column::Seq))
        .from(mention::Entity)
        .and_where(of(mention::Column::UserId).eq(person))
        .and_where(of(mention::Column::RoomId).eq(room))
        .and_where(of(mention::Column::Seq).gt(Func::coalesce([since, Expr::val(0)])))
        .to_owned()
}

/// How many these are, without looking at more than are ever shown.
fn up_to_the_most(mut rows: SelectStatement) -> Expr {
    let some = rows.limit(UNREAD).to_owned();
    let count = Query::select()
        .expr(Func::count(Expr::col(Asterisk)))
        .from_subquery(some, "some")
        .to_owned();
    Expr::SubQuery(None, Box::new(count.into()))
}
