//! The table of sessions that ended. Every process on the database watches it and closes the
//! sockets of what stands there.

use bellwire_web::bellwire::Close;
use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::entity::prelude::*;
use sea_orm::{ConnectionTrait, DbErr, QueryFilter, QueryOrder, QuerySelect, Set};

use bellwire_web::db::Tx;

/// How long it is known that a session ended. A process that cannot reach the database for longer
/// misses it.
const KEPT: TimeDelta = TimeDelta::days(1);

/// The number that processes take turns by to end sessions: "sessions" in ASCII.
const TURN: i64 = i64::from_be_bytes(*b"sessions");

/// A session that ended.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "ended_sessions")]
pub(crate) struct Model {
    /// Rises in the order of the commits, so that whoever has seen one has seen all before it.
    #[sea_orm(primary_key)]
    pub(crate) id: i64,
    pub(crate) session_id: i64,
    pub(crate) why: String,
    pub(crate) ended_at: DateTime<Utc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Why a session ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EndReason {
    SignedOut,
    EndedElsewhere,
    NewPassword,
    /// The same browser goes on in another session, after signing in or a new password: its pages
    /// come back by themselves.
    Renewed,
    Deactivated,
    Expired,
    /// An anonymous session that was not used for too long, or for which there is no room.
    Dropped,
}

impl EndReason {
    const ALL: [Self; 7] = [
        Self::SignedOut,
        Self::EndedElsewhere,
        Self::NewPassword,
        Self::Renewed,
        Self::Deactivated,
        Self::Expired,
        Self::Dropped,
    ];

    /// As it stands in the table.
    fn word(self) -> &'static str {
        match self {
            Self::SignedOut => "signed out",
            Self::EndedElsewhere => "ended elsewhere",
            Self::NewPassword => "new password",
            Self::Renewed => "renewed",
            Self::Deactivated => "deactivated",
            Self::Expired => "expired",
            Self::Dropped => "dropped",
        }
    }

    /// What its sockets close with; the person reads the reason.
    pub(super) fn close(self) -> Close {
        Close::policy(match self {
            Self::Renewed => return Close::new(Close::TRY_AGAIN, "The session was renewed."),
            Self::SignedOut => "You are signed out.",
            Self::EndedElsewhere => "You were signed out from another device.",
            Self::NewPassword => "The password was changed. Sign in with the new one.",
            Self::Deactivated => "This account was deactivated.",
            Self::Expired => "You were away for too long. Sign in again.",
            Self::Dropped => "Your session has ended. Load the page again.",
        })
    }
}

impl Model {
    pub(super) fn close(&self) -> Close {
        // A later version may know more reasons.
        EndReason::ALL
            .into_iter()
            .find(|why| why.word() == self.why)
            .unwrap_or(EndReason::SignedOut)
            .close()
    }
}

/// Takes the turn to end sessions, before anything of theirs is touched and until the transaction
/// is over: so numbers rise in the order of the commits, and two who end the same sessions do not
/// block each other for ever.
pub(super) async fn take_turn(tx: &Tx) -> Result<(), DbErr> {
    tx.lock(TURN).await
}

/// Notes that these sessions ended, in one's turn, and forgets what every process has long seen.
pub(super) async fn note(
    tx: &Tx,
    sessions: &[i64],
    why: EndReason,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let ended = sessions.iter().map(|session| ActiveModel {
        session_id: Set(*session),
        why: Set(why.word().to_owned()),
        ended_at: Set(now),
        ..Default::default()
    });
    for some in ended.collect::<Vec<_>>().chunks(1000) {
        Entity::insert_many(some.to_vec()).exec_without_returning(tx).await?;
    }
    Entity::delete_many().filter(Column::EndedAt.lt(now - KEPT)).exec(tx).await?;
    Ok(())
}

/// The number of the last session that ended so far.
pub(super) async fn last(db: &impl ConnectionTrait) -> Result<i64, DbErr> {
    let last = Entity::find()
        .select_only()
        .column_as(Column::Id.max(), "last")
        .into_tuple()
        .one(db)
        .await?;
    Ok(last.flatten().unwrap_or(0))
}

/// Those that ended after this number, in order.
pub(super) async fn after(db: &impl ConnectionTrait, number: i64) -> Result<Vec<Model>, DbErr> {
    Entity::find().filter(Column::Id.gt(number)).order_by_asc(Column::Id).all(db).await
}
