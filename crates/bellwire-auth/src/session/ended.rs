//! The `ended_sessions` table. Every process on the database polls it and closes the sockets of the
//! sessions in it.

use bellwire_web::bellwire::Close;
use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::entity::prelude::*;
use sea_orm::{ConnectionTrait, DbErr, QueryFilter, QueryOrder, QuerySelect, Set};

use bellwire_web::db::Tx;

/// How long a row is kept. A process that cannot reach the database for longer misses the end of a
/// session.
const RETENTION: TimeDelta = TimeDelta::days(1);

/// The key of the advisory lock for ending sessions: "sessions" in ASCII.
const LOCK: i64 = i64::from_be_bytes(*b"sessions");

/// A session that ended.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "ended_sessions")]
pub(crate) struct Model {
    /// Increases in the order of the commits, so that a reader that has seen one row has seen all
    /// before it.
    #[sea_orm(primary_key)]
    pub(crate) id: i64,
    pub(crate) session_id: i64,
    pub(crate) why: String,
    pub(crate) ended_at: DateTime<Utc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// The reason why a session ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EndReason {
    SignedOut,
    EndedElsewhere,
    NewPassword,
    /// The browser continues in another session, after signing in or a password change. Its pages
    /// reconnect automatically.
    Renewed,
    Deactivated,
    Expired,
    /// An anonymous session that expired, or was evicted because its address had too many.
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

    /// The value in the `why` column.
    fn as_str(self) -> &'static str {
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

    /// The close frame for the session's sockets. The person reads its reason.
    pub(super) fn close(self) -> Close {
        Close::policy(match self {
            Self::Renewed => return Close::new(Close::TRY_AGAIN, "The session was renewed."),
            Self::SignedOut => "You are signed out.",
            Self::EndedElsewhere => "You were signed out from another device.",
            Self::NewPassword => "The password was changed. Sign in with the new one.",
            Self::Deactivated => "This account was deactivated.",
            Self::Expired => "Your session has expired. Sign in again.",
            Self::Dropped => "Your session has ended. Load the page again.",
        })
    }
}

impl Model {
    pub(super) fn close(&self) -> Close {
        // A newer version of the server may have written a reason that this one does not know.
        EndReason::ALL
            .into_iter()
            .find(|reason| reason.as_str() == self.why)
            .unwrap_or(EndReason::SignedOut)
            .close()
    }
}

/// Takes the advisory lock for ending sessions until the transaction ends. Call it before touching
/// any of their rows: ids then increase in the order of the commits, and two transactions that end
/// the same sessions do not deadlock.
pub(super) async fn lock(tx: &Tx) -> Result<(), DbErr> {
    tx.lock(LOCK).await
}

/// Records that these sessions ended, and deletes expired records. The caller holds the [`lock`].
pub(super) async fn record(
    tx: &Tx,
    sessions: &[i64],
    reason: EndReason,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let ended = sessions.iter().map(|session| ActiveModel {
        session_id: Set(*session),
        why: Set(reason.as_str().to_owned()),
        ended_at: Set(now),
        ..Default::default()
    });
    for rows in ended.collect::<Vec<_>>().chunks(1000) {
        Entity::insert_many(rows.to_vec()).exec_without_returning(tx).await?;
    }
    Entity::delete_many().filter(Column::EndedAt.lt(now - RETENTION)).exec(tx).await?;
    Ok(())
}

/// The id of the latest record; 0 if there is none.
pub(super) async fn last(db: &impl ConnectionTrait) -> Result<i64, DbErr> {
    let last = Entity::find()
        .select_only()
        .column_as(Column::Id.max(), "last")
        .into_tuple()
        .one(db)
        .await?;
    Ok(last.flatten().unwrap_or(0))
}

/// The records after this id, in order.
pub(super) async fn after(db: &impl ConnectionTrait, number: i64) -> Result<Vec<Model>, DbErr> {
    Entity::find().filter(Column::Id.gt(number)).order_by_asc(Column::Id).all(db).await
}
