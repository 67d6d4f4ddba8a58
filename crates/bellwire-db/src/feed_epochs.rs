//! The epochs under which each feed was written, so that a page notices a restored backup or a
//! copied folder.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bellwire::{Epoch, Epochs, GroupName, KEPT_EPOCHS, Layer, Seq};
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::OnConflict;
use sea_orm::{QueryOrder, QuerySelect, Set};

use crate::Tx;

/// The maximum number of feeds whose last number is kept in memory. Beyond it all are forgotten,
/// and each is noted again at its next change.
const KEPT: usize = 50_000;

/// The table of epochs.
#[allow(unreachable_pub, reason = "the derive of the entity needs it")]
mod table {
    use sea_orm::entity::prelude::*;

    /// An epoch of a feed, with the first number that was written under it.
    #[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "feed_epochs")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub feed: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub epoch: i64,
        pub first_seq: i64,
    }

    #[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// The epochs of all feeds of a site. Cheap to clone.
///
/// An app calls [`note`](Self::note) in each transaction that takes a number of a feed, and returns
/// [`of`](Self::of) from its [`FeedSource::epochs`](bellwire::FeedSource::epochs).
#[derive(Debug, Clone)]
pub struct FeedEpochs {
    layer: Layer,
    /// The last number of each feed that was committed under the current epoch.
    noted: Arc<Mutex<HashMap<GroupName, Seq>>>,
}

impl FeedEpochs {
    /// The epochs of the feeds that are published on this layer.
    pub fn new(layer: Layer) -> Self {
        Self { layer, noted: Arc::default() }
    }

    /// Notes that the transaction writes change number `seq` of a feed. The first change under an
    /// epoch writes a row; all others only compare two numbers.
    ///
    /// A number that is not above the last committed one tells that the database was replaced under
    /// the running process: then the process takes a new epoch.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn note(&self, tx: &Tx, feed: &GroupName, seq: Seq) -> Result<(), DbErr> {
        let last = self.lock().get(feed).copied();
        if last.is_some_and(|last| seq <= last) {
            tracing::warn!(%feed, seq, "A number was written again: the database was replaced");
            self.layer.renew_epoch();
            self.lock().clear();
        }
        if last.is_none_or(|last| seq <= last) {
            write(tx, feed, self.layer.epoch(), seq).await?;
        }
        let (noted, feed) = (self.clone(), feed.clone());
        tx.on_commit(move || noted.committed(feed, seq));
        Ok(())
    }

    fn committed(&self, feed: GroupName, seq: Seq) {
        let mut noted = self.lock();
        if noted.len() >= KEPT {
            noted.clear();
        }
        noted.insert(feed, seq);
    }

    /// Reads the epochs of a feed.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn of(db: &impl ConnectionTrait, feed: &GroupName) -> Result<Epochs, DbErr> {
        let rows = table::Entity::find()
            .filter(table::Column::Feed.eq(feed.as_str()))
            .order_by_desc(table::Column::FirstSeq)
            .limit(KEPT_EPOCHS as u64)
            .all(db)
            .await?;
        let epochs = rows
            .into_iter()
            .filter_map(|row| Epoch::from_number(row.epoch).map(|epoch| (epoch, row.first_seq)));
        Ok(Epochs::new(epochs))
    }

    // A panic while the lock is held leaves a valid map.
    fn lock(&self) -> MutexGuard<'_, HashMap<GroupName, Seq>> {
        self.noted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Writes the row of an epoch, unless it exists, and deletes those that are too old.
async fn write(tx: &Tx, feed: &GroupName, epoch: Epoch, seq: Seq) -> Result<(), DbErr> {
    let row = table::ActiveModel {
        feed: Set(feed.as_str().to_owned()),
        epoch: Set(epoch.number()),
        first_seq: Set(seq),
    };
    let key = [table::Column::Feed, table::Column::Epoch];
    table::Entity::insert(row)
        .on_conflict(OnConflict::columns(key).do_nothing().to_owned())
        .exec_without_returning(tx)
        .await?;
    let kept: Vec<i64> = table::Entity::find()
        .select_only()
        .column(table::Column::Epoch)
        .filter(table::Column::Feed.eq(feed.as_str()))
        .order_by_desc(table::Column::FirstSeq)
        .limit(KEPT_EPOCHS as u64)
        .into_tuple()
        .all(tx)
        .await?;
    table::Entity::delete_many()
        .filter(table::Column::Feed.eq(feed.as_str()))
        .filter(table::Column::Epoch.is_not_in(kept))
        .exec(tx)
        .await?;
    Ok(())
}
