//! Callbacks after commits, beside the writer.

use std::sync::{Arc, Mutex, mpsc};

use bellwire_db::{Db, DbError, Tx};
use sea_orm::{ConnectionTrait, Statement};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::support::{TestDatabase, note, notes, on_both, with_notes, within};

/// What callbacks have said, in their order.
type Heard = Arc<Mutex<Vec<i32>>>;

/// Writes a note whose callback says its number.
fn heard_by(heard: &Heard, db: &Db, n: i32) -> JoinHandle<Result<(), DbError>> {
    let (db, heard) = (db.clone(), heard.clone());
    tokio::spawn(async move {
        db.write(async move |tx: Tx| {
            note(&tx, n).await?;
            tx.on_commit(move || heard.lock().unwrap().push(n));
            Ok(())
        })
        .await
    })
}

/// A note whose callback waits until it is let go.
struct Slow {
    written: JoinHandle<Result<(), DbError>>,
    go_on: mpsc::Sender<()>,
}

impl Slow {
    /// Writes the note, and waits until its callback runs.
    async fn begin(heard: &Heard, db: &Db, n: i32) -> Self {
        let (go_on, goes_on) = mpsc::channel();
        let (begins, begun) = oneshot::channel();
        let (db, heard) = (db.clone(), heard.clone());
        let written = tokio::spawn(async move {
            db.write(async move |tx: Tx| {
                note(&tx, n).await?;
                tx.on_commit(move || {
                    begins.send(()).unwrap();
                    let _ = goes_on.recv(); // an error, if the test failed meanwhile
                    heard.lock().unwrap().push(n);
                });
                Ok(())
            })
            .await
        });
        within("the slow callback", begun).await.unwrap();
        Self { written, go_on }
    }

    async fn end(self) {
        self.go_on.send(()).unwrap();
        within("the end of the slow callback", self.written).await.unwrap().unwrap();
    }
}

/// Waits until so many notes are on disk.
async fn until_there_are(db: &Db, many: usize) {
    let there = async {
        while notes(db.read()).await.len() < many {
            tokio::task::yield_now().await;
        }
    };
    within("the commit", there).await;
}

async fn a_slow_callback_holds_no_commit_and_callbacks_keep_their_order(database: TestDatabase) {
    let (home, db) = with_notes(database).await;
    let heard = Heard::default();
    let slow = Slow::begin(&heard, &db, 1).await;
    within("a job without callbacks", db.write(async |tx: Tx| note(&tx, 2).await)).await.unwrap();
    let next = heard_by(&heard, &db, 3);
    until_there_are(&db, 3).await;
    assert!(heard.lock().unwrap().is_empty(), "the later one waits for the slow one");
    assert!(!slow.written.is_finished() && !next.is_finished(), "answered after their callbacks");
    slow.end().await;
    within("the next job", next).await.unwrap().unwrap();
    assert_eq!(*heard.lock().unwrap(), [1, 3]);
    home.end(db).await;
}

async fn callbacks_run_in_the_order_of_the_numbers_that_their_jobs_took(database: TestDatabase) {
    let (home, db) = with_notes(database).await;
    db.write(async |tx: Tx| note(&tx, 0).await).await.unwrap();
    let heard = Heard::default();
    let jobs: Vec<_> = (0..400)
        .map(|_| {
            let (db, heard) = (db.clone(), heard.clone());
            tokio::spawn(async move {
                db.write(async move |tx: Tx| {
                    let next = "UPDATE notes SET n = n + 1 RETURNING n";
                    let next = Statement::from_string(tx.get_database_backend(), next);
                    let row = tx.query_one_raw(next).await?.ok_or(DbError::Closed)?;
                    let n: i32 = row.try_get("", "n")?;
                    tx.on_commit(move || heard.lock().unwrap().push(n));
                    Ok::<_, DbError>(())
                })
                .await
            })
        })
        .collect();
    for job in jobs {
        job.await.unwrap().unwrap();
    }
    assert_eq!(*heard.lock().unwrap(), (1..=400).collect::<Vec<_>>());
    home.end(db).await;
}

async fn callbacks_of_what_was_committed_run_before_the_database_is_closed(database: TestDatabase) {
    let (home, db) = with_notes(database).await;
    let heard = Heard::default();
    let slow = Slow::begin(&heard, &db, 1).await;
    let next = heard_by(&heard, &db, 2);
    until_there_are(&db, 2).await;
    let closing = tokio::spawn({
        let db = db.clone();
        async move { db.close().await }
    });
    slow.end().await;
    within("the end", closing).await.unwrap();
    assert_eq!(*heard.lock().unwrap(), [1, 2]);
    next.await.unwrap().unwrap();
    home.end(db).await;
}

async fn after_a_callback_that_panics_those_of_later_commits_run(database: TestDatabase) {
    let (home, db) = with_notes(database).await;
    let panics = db.write(async |tx: Tx| {
        tx.on_commit(|| panic!("as the test wants"));
        note(&tx, 1).await
    });
    panics.await.unwrap();
    let heard = Heard::default();
    heard_by(&heard, &db, 2).await.unwrap().unwrap();
    assert_eq!(*heard.lock().unwrap(), [2]);
    home.end(db).await;
}

on_both! {
    tokio::test(flavor = "multi_thread", worker_threads = 2);
    a_slow_callback_holds_no_commit_and_callbacks_keep_their_order,
    callbacks_run_in_the_order_of_the_numbers_that_their_jobs_took,
    callbacks_of_what_was_committed_run_before_the_database_is_closed,
    after_a_callback_that_panics_those_of_later_commits_run,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_sqlite_the_writer_waits_while_so_many_commits_wait_for_their_callbacks() {
    const COMMITS: i32 = 64;
    const JOBS: i32 = 1024;
    let (home, db) = with_notes(TestDatabase::Sqlite).await;
    let heard = Heard::default();
    let slow = Slow::begin(&heard, &db, 1).await;
    // All places, and one commit more, whose callbacks the writer has still in its hand.
    let mut written = Vec::new();
    for n in 2..=COMMITS + 2 {
        written.push(heard_by(&heard, &db, n));
        until_there_are(&db, n.try_into().unwrap()).await;
    }
    let last = COMMITS + 2;
    let more =
        (last + 1..=last + JOBS + 1).map(|n| db.write(async move |tx: Tx| note(&tx, n).await));
    let mut more = std::pin::pin!(futures_util::future::join_all(more));
    assert!(futures_util::poll!(&mut more).is_pending());
    slow.end().await;
    let busy = more.await.iter().filter(|result| matches!(result, Err(DbError::Busy))).count();
    assert_eq!(busy, 1, "no job was begun before a callback had ended");
    for written in written {
        written.await.unwrap().unwrap();
    }
    assert_eq!(*heard.lock().unwrap(), (1..=last).collect::<Vec<_>>());
    home.end(db.clone()).await;
}
