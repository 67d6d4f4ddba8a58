//! Tests of the journal of a feed in a table.

use bellwire::{CatchUp, Epochs, Feed, FeedSource, Html, Layer, NoEvents, Patch, Seq, Topic};
use bellwire_db::{Db, DbError, FeedEpochs, Migrations, Migrator, TableJournal, Tx};

use crate::support::{Home, TestDatabase, on_both};

const BOARD: Topic<u8> = Topic::new("board");

type Board = Feed<NoEvents, TableJournal>;

async fn with_tables(database: TestDatabase) -> (Home, Db) {
    let home = Home::make(database).await;
    let db = home.open(&[Migrations::of::<Migrator>()]).await;
    (home, db)
}

/// A board of which three changes are kept, in a new process.
fn board(db: &Db, number: u8) -> Board {
    let layer = Layer::memory();
    TableJournal::feed(db, &layer, &FeedEpochs::new(layer.clone()), BOARD.of(number), 3)
}

fn note(number: Seq) -> Patch {
    Patch::append("#notes", Html::text(&number.to_string()))
}

/// Appends a change in a transaction that ends with this result.
async fn append(db: &Db, board: &Board, result: Result<(), DbError>) -> Result<Seq, DbError> {
    let board = board.clone();
    db.write(async move |tx: Tx| {
        let next = board.source().head(&tx).await? + 1;
        let seq = TableJournal::append(&board, &tx, note(next)).await?;
        result.map(|()| seq)
    })
    .await
}

async fn append_all(db: &Db, board: &Board, count: usize) {
    for _ in 0..count {
        append(db, board, Ok(())).await.unwrap();
    }
}

async fn since(board: &Board, seq: Option<Seq>) -> CatchUp {
    board.source().catch_up(seq, "").await.unwrap()
}

fn notes(numbers: impl IntoIterator<Item = Seq>, seq: Seq) -> CatchUp {
    CatchUp { patches: numbers.into_iter().map(note).collect(), seq }
}

fn reload(seq: Seq) -> CatchUp {
    CatchUp { patches: vec![Patch::reload()], seq }
}

async fn a_page_receives_the_changes_after_its_position_also_after_a_restart(
    database: TestDatabase,
) {
    let (home, db) = with_tables(database).await;
    append_all(&db, &board(&db, 1), 2).await;
    let restarted = board(&db, 1);
    append_all(&db, &restarted, 1).await;
    assert_eq!(since(&restarted, Some(0)).await, notes(1..=3, 3));
    assert_eq!(since(&restarted, Some(2)).await, notes(3..=3, 3));
    assert_eq!(since(&restarted, Some(3)).await, notes([], 3));
    assert_eq!(since(&restarted, None).await, notes([], 3), "it shows what it was rendered with");
    assert_eq!(since(&board(&db, 2), Some(0)).await, notes([], 0), "another board");
    home.end(db).await;
}

async fn a_page_that_missed_more_than_is_kept_is_reloaded(database: TestDatabase) {
    let (home, db) = with_tables(database).await;
    let board = board(&db, 1);
    append_all(&db, &board, 5).await;
    assert_eq!(since(&board, Some(1)).await, reload(5));
    assert_eq!(since(&board, Some(2)).await, notes(3..=5, 5));
    home.end(db).await;
}

async fn a_page_of_another_history_is_reloaded(database: TestDatabase) {
    let (home, db) = with_tables(database).await;
    let board = board(&db, 1);
    append_all(&db, &board, 2).await;
    assert_eq!(board.source().reset("").await.unwrap(), reload(2));
    assert_ne!(board.source().epochs().await.unwrap(), Epochs::default());
    home.end(db).await;
}

async fn a_rolled_back_change_takes_no_number_and_is_kept_nowhere(database: TestDatabase) {
    let (home, db) = with_tables(database).await;
    let board = board(&db, 1);
    append(&db, &board, Err(DbError::Busy)).await.unwrap_err();
    assert_eq!(since(&board, Some(0)).await, notes([], 0));
    assert_eq!(append(&db, &board, Ok(())).await.unwrap(), 1);
    home.end(db).await;
}

async fn a_kept_change_is_the_patch_that_was_sent(database: TestDatabase) {
    let (home, db) = with_tables(database).await;
    let board = board(&db, 1);
    let patches = [
        Patch::replace("#forgotten", Html::text("the first of four")),
        Patch::remove("#a > [data-x=\"1\"]"),
        Patch::before("#a", Html::text("ä<b> & \"c\"\u{2028}\n")).keep_last(5),
        Patch::event("poll", "three \"votes\""),
    ];
    for patch in patches.clone() {
        let board = board.clone();
        let appended = db.write(async move |tx: Tx| {
            Ok::<_, DbError>(TableJournal::append(&board, &tx, patch).await?)
        });
        appended.await.unwrap();
    }
    let kept = CatchUp { patches: patches[1..].into(), seq: 4 };
    assert_eq!(since(&board, Some(1)).await, kept);
    home.end(db).await;
}

on_both! {
    a_page_receives_the_changes_after_its_position_also_after_a_restart,
    a_page_that_missed_more_than_is_kept_is_reloaded,
    a_page_of_another_history_is_reloaded,
    a_rolled_back_change_takes_no_number_and_is_kept_nowhere,
    a_kept_change_is_the_patch_that_was_sent,
}
