//! Tests of post-commit callbacks.

use std::sync::{Arc, Mutex, mpsc};

use bellwire_db::{Db, DbError, Tx};
use sea_orm::{ConnectionTrait, Statement};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::support::{TestDatabase, note, notes, on_both, with_notes, within};

/// The numbers that callbacks have recorded, in order.
type Recorded = Arc<Mutex<Vec<i32>>>;

/// Writes a note whose callback records its number.
fn record(recorded: &Recorded, db: &Db, n: i32) -> JoinHandle<Result<(), DbError>> {
    let (db, recorded) = (db.clone(), recorded.clone());
    tokio::spawn(async move {
        db.write(async move |tx: Tx| {
            note(&tx, n).await?;
            tx.on_commit(move || recorded.lock().unwrap().push(n));
            Ok(())
        })
        .await
    })
}

/// A note whose callback blocks until it is released.
struct Slow {
    written: JoinHandle<Result<(), DbError>>,
    release: mpsc::Sender<()>,
}

impl Slow {
    /// Writes the note, and waits until its callback runs.
    async fn begin(recorded: &Recorded, db: &Db, n: i32) -> Self {
        let (release, released) = mpsc::channel();
        let (start, started) = oneshot::channel();
        let (db, recorded) = (db.clone(), recorded.clone());
        let written = tokio::spawn(async move {
            db.write(async move |tx: Tx| {
                note(&tx, n).await?;
                tx.on_commit(move || {
                    start.send(()).unwrap();
                    let _ = released.recv(); // an error if the test has failed
                    recorded.lock().unwrap().push(n);
                });
                Ok(())
            })
            .await
        });
        within("the slow callback", started).await.unwrap();
        Self { written, release }
    }

    async fn end(self) {
        self.release.send(()).unwrap();
        within("the end of the slow callback", self.written).await.unwrap().unwrap();
    }
}

/// Waits until this many notes are on disk.
async fn wait_for_notes(db: &Db, count: usize) {
    let committed = async {
        while notes(db.read()).await.len() < count {
            tokio::task::yield_now().await;
        }
    };
    within("the commit", committed).await;
}

async fn a_slow_callback_delays_no_commit_and_callbacks_keep_their_order(database: TestDatabase) {
    let (home, db) = with_notes(database).await;
    let recorded = Recorded::default();
    let slow = Slow::begin(&recorded, &db, 1).await;
    within("a job without callbacks", db.write(async |tx: Tx| note(&tx, 2).await)).await.unwrap();
    let next = record(&recorded, &db, 3);
    wait_for_notes(&db, 3).await;
    assert!(recorded.lock().unwrap().is_empty(), "the later callback waits for the slow one");
    assert!(!slow.written.is_finished() && !next.is_finished(), "writes wait for callbacks");
    slow.end().await;
    within("the next job", next).await.unwrap().unwrap();
    assert_eq!(*recorded.lock().unwrap(), [1, 3]);
    home.end(db).await;
}

async fn callbacks_run_in_the_order_of_the_sequence_numbers_of_their_jobs(database: TestDatabase) {
    let (home, db) = with_notes(database).await;
    db.write(async |tx: Tx| note(&tx, 0).await).await.unwrap();
    let recorded = Recorded::default();
    let jobs: Vec<_> = (0..400)
        .map(|_| {
            let (db, recorded) = (db.clone(), recorded.clone());
            tokio::spawn(async move {
                db.write(async move |tx: Tx| {
                    let next = "UPDATE notes SET n = n + 1 RETURNING n";
                    let next = Statement::from_string(tx.get_database_backend(), next);
                    let row = tx.query_one_raw(next).await?.ok_or(DbError::Closed)?;
                    let n: i32 = row.try_get("", "n")?;
                    tx.on_commit(move || recorded.lock().unwrap().push(n));
                    Ok::<_, DbError>(())
                })
                .await
            })
        })
        .collect();
    for job in jobs {
        job.await.unwrap().unwrap();
    }
    assert_eq!(*recorded.lock().unwrap(), (1..=400).collect::<Vec<_>>());
    home.end(db).await;
}

async fn callbacks_of_committed_jobs_run_before_the_database_closes(database: TestDatabase) {
    let (home, db) = with_notes(database).await;
    let recorded = Recorded::default();
    let slow = Slow::begin(&recorded, &db, 1).await;
    let next = record(&recorded, &db, 2);
    wait_for_notes(&db, 2).await;
    let closing = tokio::spawn({
        let db = db.clone();
        async move { db.close().await }
    });
    slow.end().await;
    within("the end", closing).await.unwrap();
    assert_eq!(*recorded.lock().unwrap(), [1, 2]);
    next.await.unwrap().unwrap();
    home.end(db).await;
}

async fn callbacks_of_later_commits_run_after_a_callback_panics(database: TestDatabase) {
    let (home, db) = with_notes(database).await;
    let panics = db.write(async |tx: Tx| {
        tx.on_commit(|| panic!("as the test wants"));
        note(&tx, 1).await
    });
    panics.await.unwrap();
    let recorded = Recorded::default();
    record(&recorded, &db, 2).await.unwrap().unwrap();
    assert_eq!(*recorded.lock().unwrap(), [2]);
    home.end(db).await;
}

on_both! {
    tokio::test(flavor = "multi_thread", worker_threads = 2);
    a_slow_callback_delays_no_commit_and_callbacks_keep_their_order,
    callbacks_run_in_the_order_of_the_sequence_numbers_of_their_jobs,
    callbacks_of_committed_jobs_run_before_the_database_closes,
    callbacks_of_later_commits_run_after_a_callback_panics,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_sqlite_the_writer_waits_when_the_callback_queue_is_full() {
    const COMMITS: i32 = 64;
    const JOBS: i32 = 1024;
    let (home, db) = with_notes(TestDatabase::Sqlite).await;
    let recorded = Recorded::default();
    let slow = Slow::begin(&recorded, &db, 1).await;
    // Fill all slots, and commit once more: the writer still holds the callbacks of that commit.
    let mut written = Vec::new();
    for n in 2..=COMMITS + 2 {
        written.push(record(&recorded, &db, n));
        wait_for_notes(&db, n.try_into().unwrap()).await;
    }
    let last = COMMITS + 2;
    let more =
        (last + 1..=last + JOBS + 1).map(|n| db.write(async move |tx: Tx| note(&tx, n).await));
    let mut more = std::pin::pin!(futures_util::future::join_all(more));
    assert!(futures_util::poll!(&mut more).is_pending());
    slow.end().await;
    let busy = more.await.iter().filter(|result| matches!(result, Err(DbError::Busy))).count();
    assert_eq!(busy, 1, "no job began before a callback had ended");
    for written in written {
        written.await.unwrap().unwrap();
    }
    assert_eq!(*recorded.lock().unwrap(), (1..=last).collect::<Vec<_>>());
    home.end(db.clone()).await;
}
