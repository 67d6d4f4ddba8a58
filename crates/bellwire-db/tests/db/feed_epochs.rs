//! Tests of the epochs of feeds.

use std::ops::RangeInclusive;

use bellwire::{Epoch, Epochs, FeedPosition, GroupName, KEPT_EPOCHS, Layer, Seq, Topic};
use bellwire_db::{Db, DbError, FeedEpochs, Migrations, Migrator, Tx};
use sea_orm::{ConnectionTrait, Statement};

use crate::support::{Home, TestDatabase, on_both};

const LIST: Topic<u8> = Topic::new("list");

async fn with_tables(database: TestDatabase) -> (Home, Db) {
    let home = Home::make(database).await;
    let db = home.open(&[Migrations::of::<Migrator>()]).await;
    (home, db)
}

/// A process of a site with one feed.
struct Process {
    db: Db,
    layer: Layer,
    epochs: FeedEpochs,
    feed: GroupName,
}

impl Process {
    fn start(db: &Db) -> Self {
        let layer = Layer::memory();
        let (epochs, feed) = (FeedEpochs::new(layer.clone()), LIST.of(1).name().clone());
        Self { db: db.clone(), layer, epochs, feed }
    }

    fn epoch(&self) -> Epoch {
        self.layer.epoch()
    }

    /// Writes these changes of the feed, each in a transaction of its own.
    async fn write(&self, numbers: RangeInclusive<Seq>) {
        for seq in numbers {
            self.write_and(seq, Ok(())).await.unwrap();
        }
    }

    /// Writes a change in a transaction that ends with this result.
    async fn write_and(&self, seq: Seq, result: Result<(), DbError>) -> Result<(), DbError> {
        let (epochs, feed) = (self.epochs.clone(), self.feed.clone());
        let written = self.db.write(async move |tx: Tx| {
            epochs.note(&tx, &feed, seq).await?;
            result
        });
        written.await
    }

    /// The epochs of the feed.
    async fn read(&self) -> Epochs {
        FeedEpochs::of(self.db.read(), &self.feed).await.unwrap()
    }

    /// Whether a page at this position has seen the changes that the feed has now.
    async fn knows(&self, epoch: Epoch, seq: Seq) -> bool {
        self.read().await.know(FeedPosition { epoch, seq }, self.epoch())
    }
}

async fn the_first_change_under_an_epoch_writes_a_row_and_later_ones_write_none(
    database: TestDatabase,
) {
    let (home, db) = with_tables(database).await;
    let process = Process::start(&db);
    assert_eq!(process.read().await, Epochs::default());
    process.write(1..=3).await;
    assert_eq!(process.read().await, Epochs::new([(process.epoch(), 1)]));
    let other = FeedEpochs::of(db.read(), LIST.of(2).name()).await.unwrap();
    assert_eq!(other, Epochs::default(), "of a feed that nobody wrote");
    home.end(db).await;
}

async fn a_restart_costs_a_page_nothing(database: TestDatabase) {
    let (home, db) = with_tables(database).await;
    let before = Process::start(&db);
    before.write(1..=3).await;
    let after = Process::start(&db);
    assert!(after.knows(before.epoch(), 3).await, "before the first change");
    after.write(4..=5).await;
    for (epoch, seq) in [(before.epoch(), 2), (before.epoch(), 3), (after.epoch(), 5)] {
        assert!(after.knows(epoch, seq).await, "{epoch} {seq}");
    }
    assert_eq!(after.read().await.position(3, after.epoch()).epoch, before.epoch());
    home.end(db).await;
}

async fn a_copied_folder_is_noticed_when_it_continues_at_a_lower_number(database: TestDatabase) {
    let (home, db) = with_tables(database).await;
    let original = Process::start(&db);
    original.write(1..=3).await;
    // The copy is made here. The original continues elsewhere, and its pages see number 5.
    let copy = Process::start(&db);
    copy.write(4..=6).await;
    for (seq, known) in [(3, true), (4, false), (5, false)] {
        assert_eq!(copy.knows(original.epoch(), seq).await, known, "at {seq}");
    }
    home.end(db).await;
}

async fn a_number_that_is_written_again_under_the_running_process_renews_its_epoch(
    database: TestDatabase,
) {
    let (home, db) = with_tables(database).await;
    let process = Process::start(&db);
    process.write(1..=5).await;
    let first = process.epoch();
    // The database was replaced by a backup with three changes.
    process.write(4..=4).await;
    let second = process.epoch();
    assert_ne!(second, first);
    assert_eq!(process.read().await, Epochs::new([(first, 1), (second, 4)]));
    for (epoch, seq, known) in [(first, 3, true), (first, 5, false), (second, 4, true)] {
        assert_eq!(process.knows(epoch, seq).await, known, "{epoch} {seq}");
    }
    process.write(5..=6).await;
    assert_eq!(process.epoch(), second, "the numbers rise again");
    home.end(db).await;
}

async fn at_most_16_epochs_of_a_feed_are_kept(database: TestDatabase) {
    let (home, db) = with_tables(database).await;
    let mut written = Vec::new();
    for seq in 1..=20 {
        let process = Process::start(&db);
        process.write(seq..=seq).await;
        written.push((process.epoch(), seq));
    }
    let newest = written.split_off(written.len() - KEPT_EPOCHS);
    assert_eq!((KEPT_EPOCHS, Process::start(&db).read().await), (16, Epochs::new(newest)));
    assert_eq!(rows(&db).await, 16);
    home.end(db).await;
}

async fn rows(db: &Db) -> usize {
    let all = "SELECT feed FROM feed_epochs";
    let all = Statement::from_string(db.read().get_database_backend(), all);
    db.read().query_all_raw(all).await.unwrap().len()
}

async fn a_transaction_that_is_rolled_back_notes_nothing(database: TestDatabase) {
    let (home, db) = with_tables(database).await;
    let process = Process::start(&db);
    let epoch = process.epoch();
    for seq in 1..=2 {
        assert!(process.write_and(seq, Err(DbError::Busy)).await.is_err());
        assert_eq!(rows(&db).await, usize::from(seq > 1), "no row of a change that is not there");
        process.write(seq..=seq).await;
        assert_eq!(process.epoch(), epoch, "the number is written for the first time");
    }
    assert_eq!(process.read().await, Epochs::new([(epoch, 1)]));
    home.end(db).await;
}

on_both! {
    the_first_change_under_an_epoch_writes_a_row_and_later_ones_write_none,
    a_restart_costs_a_page_nothing,
    a_copied_folder_is_noticed_when_it_continues_at_a_lower_number,
    a_number_that_is_written_again_under_the_running_process_renews_its_epoch,
    at_most_16_epochs_of_a_feed_are_kept,
    a_transaction_that_is_rolled_back_notes_nothing,
}
