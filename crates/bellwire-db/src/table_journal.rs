//! [`TableJournal`]: the last changes of a feed, in a table.

use bellwire::{CatchUp, Epochs, Error, Feed, FeedSource, Group, GroupName, Layer, Patch, Seq};
use sea_orm::entity::prelude::*;
use sea_orm::{QueryOrder, Set};

use crate::{Db, FeedEpochs, Tx};

/// The table of changes.
#[allow(unreachable_pub, reason = "the derive of the entity needs it")]
mod table {
    use sea_orm::entity::prelude::*;

    /// A change of a feed.
    #[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "feed_journal")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub feed: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub seq: i64,
        /// The patch as JSON.
        pub patch: String,
    }

    #[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// A journal in the database, for feeds whose changes are in no table of their own and have to
/// survive a restart: it numbers changes and keeps the last ones. A page that missed more is
/// reloaded.
///
/// ```
/// use bellwire::{Html, Patch, Topic};
/// use bellwire_db::{Db, DbError, FeedEpochs, TableJournal, Tx};
///
/// const BOARD: Topic<i64> = Topic::new("board");
///
/// # async fn example(db: Db, layer: bellwire::Layer, epochs: FeedEpochs) -> Result<(), DbError> {
/// let board = TableJournal::feed(&db, &layer, &epochs, BOARD.of(7), 100);
/// db.write(async move |tx: Tx| {
///     TableJournal::append(&board, &tx, Patch::append("#notes", Html::text("Lunch?"))).await?;
///     Ok::<_, DbError>(())
/// })
/// .await
/// # }
/// ```
#[derive(Debug)]
pub struct TableJournal {
    db: Db,
    epochs: FeedEpochs,
    feed: GroupName,
    last: i64,
}

impl TableJournal {
    /// The feed of a group, of whose changes the `last` ones are kept, at least one.
    pub fn feed<E>(
        db: &Db,
        layer: &Layer,
        epochs: &FeedEpochs,
        group: Group<E>,
        last: u32,
    ) -> Feed<E, Self> {
        let (feed, last) = (group.name().clone(), i64::from(last.max(1)));
        layer.feed(group, Self { db: db.clone(), epochs: epochs.clone(), feed, last })
    }

    /// Numbers and keeps a change in this transaction, and publishes it after the commit. Returns
    /// its number. Transactions that append to one feed must not run at the same time: on
    /// PostgreSQL take [`Tx::lock`] or lock a row before.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn append<E: 'static>(
        feed: &Feed<E, Self>,
        tx: &Tx,
        patch: Patch,
    ) -> Result<Seq, DbErr> {
        let journal = feed.source();
        let seq = journal.head(tx).await? + 1;
        journal.epochs.note(tx, &journal.feed, seq).await?;
        let json = patch.to_json().map_err(|error| DbErr::Custom(error.to_string()))?;
        let row = table::ActiveModel {
            feed: Set(journal.feed.as_str().to_owned()),
            seq: Set(seq),
            patch: Set(json),
        };
        table::Entity::insert(row).exec_without_returning(tx).await?;
        journal.delete_up_to(tx, seq - journal.last).await?;
        let feed = feed.clone();
        tx.on_commit(move || feed.publish(seq, patch));
        Ok(seq)
    }

    /// The number of the last change.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn head(&self, db: &impl ConnectionTrait) -> Result<Seq, DbErr> {
        let last = table::Entity::find()
            .filter(table::Column::Feed.eq(self.feed.as_str()))
            .order_by_desc(table::Column::Seq)
            .one(db)
            .await?;
        Ok(last.map_or(0, |row| row.seq))
    }

    /// Deletes the changes up to this number.
    async fn delete_up_to(&self, tx: &Tx, seq: Seq) -> Result<(), DbErr> {
        table::Entity::delete_many()
            .filter(table::Column::Feed.eq(self.feed.as_str()))
            .filter(table::Column::Seq.lte(seq))
            .exec(tx)
            .await?;
        Ok(())
    }

    async fn after(&self, since: Seq) -> Result<CatchUp, Error> {
        let rows = table::Entity::find()
            .filter(table::Column::Feed.eq(self.feed.as_str()))
            .filter(table::Column::Seq.gt(since))
            .order_by_asc(table::Column::Seq)
            .all(self.db.read())
            .await?;
        let seq = rows.last().map_or(since, |row| row.seq);
        let patches = match rows.first() {
            Some(first) if first.seq > since + 1 => vec![Patch::reload()],
            _ => {
                rows.iter().map(|row| Patch::trusted_json(&row.patch)).collect::<Result<_, _>>()?
            }
        };
        Ok(CatchUp { patches, seq })
    }
}

impl FeedSource for TableJournal {
    async fn catch_up(&self, since: Option<Seq>, _: &str) -> Result<CatchUp, Error> {
        let head = self.head(self.db.read()).await?;
        match since {
            // The page shows what it was rendered with.
            None => Ok(CatchUp { patches: Vec::new(), seq: head }),
            Some(since) if since > head => Ok(CatchUp { patches: Vec::new(), seq: head }),
            Some(since) => self.after(since).await,
        }
    }

    async fn reset(&self, _: &str) -> Result<CatchUp, Error> {
        Ok(CatchUp { patches: vec![Patch::reload()], seq: self.head(self.db.read()).await? })
    }

    async fn epochs(&self) -> Result<Epochs, Error> {
        Ok(FeedEpochs::of(self.db.read(), &self.feed).await?)
    }
}
