//! Tests of `Db::write`.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bellwire::testing::Communicator;
use bellwire::{
    Bellwire, Close, Consumer, Error, Frame, Html, Layer, Limits, Patch, Socket, Topic,
};
use bellwire_db::{Db, DbError, LookupExt, Tx};
use sea_orm::{ConnectionTrait, Statement};
use tokio::sync::{Notify, oneshot};

use crate::support::{Home, TestDatabase, note, notes, on_both, with_notes, within};

async fn concurrent_jobs_that_fail_roll_back_only_their_own_writes(database: TestDatabase) {
    let (home, db) = with_notes(database).await;
    let jobs = (0..100).map(|n| {
        let db = db.clone();
        tokio::spawn(async move {
            db.write(async move |tx: Tx| {
                note(&tx, n).await?;
                match n {
                    33 => Err(DbError::Busy),
                    66 => panic!("as the test wants"),
                    99 => note(&tx, i32::MAX)
                        .await
                        .and(Ok(tx.execute_unprepared("nonsense").await.map(|_| ())?)),
                    _ => Ok(()),
                }
            })
            .await
        })
    });
    for (n, job) in jobs.collect::<Vec<_>>().into_iter().enumerate() {
        let result = job.await.unwrap();
        match n {
            33 => assert!(matches!(result, Err(DbError::Busy))),
            66 => assert!(matches!(result, Err(DbError::Panicked))),
            99 => assert!(matches!(result, Err(DbError::Query(_)))),
            _ => result.unwrap(),
        }
    }
    let expected: Vec<i32> = (0..99).filter(|n| ![33, 66].contains(n)).collect();
    assert_eq!(notes(db.read()).await, expected);
    home.end(db).await;
}

async fn callbacks_of_committed_jobs_run_in_order_before_the_write_returns(database: TestDatabase) {
    let (home, db) = with_notes(database).await;
    let order = Arc::new(Mutex::new(Vec::new()));
    let mut expected = Vec::new();
    for n in 0..50 {
        let (db, order_of_job) = (db.clone(), order.clone());
        let written = db.write(async move |tx: Tx| {
            note(&tx, n).await?;
            tx.on_commit(move || order_of_job.lock().unwrap().push(n));
            if n % 10 == 9 { Err(DbError::Busy) } else { Ok(()) }
        });
        let kept = written.await.is_ok();
        expected.extend(kept.then_some(n));
        assert_eq!(*order.lock().unwrap(), expected, "before the answer");
    }
    assert_eq!(notes(db.read()).await, expected);
    home.end(db).await;
}

#[tokio::test]
async fn on_sqlite_the_callbacks_of_jobs_that_share_a_commit_run_in_the_order_of_the_jobs() {
    let (home, db) = with_notes(TestDatabase::Sqlite).await;
    let order = Arc::new(Mutex::new(Vec::new()));
    let mut jobs = Vec::new();
    for n in 0..100 {
        let (db, order) = (db.clone(), order.clone());
        jobs.push(async move {
            db.write(async move |tx: Tx| {
                note(&tx, n).await?;
                tx.on_commit(move || order.lock().unwrap().push(n));
                Ok::<_, DbError>(())
            })
            .await
        });
    }
    // Polled in order, so they are queued in this order.
    for result in futures_util::future::join_all(jobs).await {
        result.unwrap();
    }
    assert_eq!(*order.lock().unwrap(), (0..100).collect::<Vec<_>>());
    home.end(db).await;
}

const NOTES: Topic<u8> = Topic::new("notes");

/// A member of the group that does not follow its feed, so it cannot catch up on missed changes.
struct Listener;

impl Consumer for Listener {
    type Action = Frame;
    type Event = ();
    type Error = Error;

    async fn connect(&mut self, socket: &mut Socket<Self>) -> Result<(), Error> {
        socket.join(NOTES.of(1));
        Ok(())
    }

    async fn receive(&mut self, _: &mut Socket<Self>, _: Frame) -> Result<(), Error> {
        Ok(())
    }
}

#[tokio::test]
async fn on_sqlite_messages_of_jobs_that_share_a_commit_reach_each_member_as_one_batch() {
    let (home, db) = with_notes(TestDatabase::Sqlite).await;
    for (queue_messages, overflows) in [(12, 0), (4, 1)] {
        let limits = Limits { queue_messages, ..Limits::default() };
        let bellwire = Bellwire::builder("http://127.0.0.1:8000").limits(limits).build().unwrap();
        let mut page = Communicator::connect(&bellwire, Listener).await;
        page.settle().await;
        publish_in_one_commit(&db, bellwire.layer(), 12).await;
        if overflows == 0 {
            for number in 1..=12 {
                assert_eq!(page.receive_text().await, number.to_string());
            }
            page.receive_nothing().await;
        } else {
            assert_eq!(page.closed().await.code(), Close::TRY_AGAIN);
        }
        // Delivered one by one, the fifth and the tenth would have found the short queue full.
        assert_eq!(
            bellwire.layer().counts().overflows,
            overflows,
            "in a queue of {queue_messages}"
        );
    }
    home.end(db).await;
}

/// Queues this many jobs, each of which publishes its number, behind another job, so that they
/// share its commit or the next.
async fn publish_in_one_commit(db: &Db, layer: &Layer, jobs: i64) {
    let (waits, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let first = tokio::spawn({
        let (db, waits, go_on) = (db.clone(), waits.clone(), go_on.clone());
        async move {
            db.write(async move |_: Tx| {
                waits.notify_one();
                go_on.notified().await;
                Ok::<_, DbError>(())
            })
            .await
        }
    });
    within("the first job", waits.notified()).await;
    let jobs = (1..=jobs).map(|number| {
        let (db, feed) = (db.clone(), layer.journal(NOTES.of(1), 0));
        async move {
            db.write(async move |tx: Tx| {
                note(&tx, 1).await?;
                let patch = Patch::append("#notes", Html::text("x")).json_text(number.to_string());
                tx.on_commit(move || feed.publish(number, patch));
                Ok::<_, DbError>(())
            })
            .await
        }
    });
    // Polled in order, so all of them are queued when the first one ends.
    let (results, ()) =
        tokio::join!(futures_util::future::join_all(jobs), async { go_on.notify_one() });
    results.into_iter().for_each(Result::unwrap);
    first.await.unwrap().unwrap();
}

async fn a_panic_in_a_callback_affects_no_other_callback_or_job(database: TestDatabase) {
    let (home, db) = with_notes(database).await;
    let (sender, receiver) = oneshot::channel();
    let written = db.write(async move |tx: Tx| {
        tx.on_commit(|| panic!("as the test wants"));
        tx.on_commit(move || sender.send(()).unwrap());
        note(&tx, 1).await
    });
    written.await.unwrap();
    within("the callback", receiver).await.unwrap();
    db.write(async |tx: Tx| note(&tx, 2).await).await.unwrap();
    assert_eq!(notes(db.read()).await, [1, 2]);
    home.end(db).await;
}

async fn a_job_continues_when_its_caller_is_cancelled(database: TestDatabase) {
    let (home, db) = with_notes(database).await;
    let (begun, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (sender, receiver) = oneshot::channel();
    let caller = {
        let (db, begun, go_on) = (db.clone(), begun.clone(), go_on.clone());
        tokio::spawn(async move {
            db.write(async move |tx: Tx| {
                begun.notify_one();
                go_on.notified().await;
                note(&tx, 7).await?;
                tx.on_commit(move || sender.send(()).unwrap());
                Ok::<_, DbError>(())
            })
            .await
        })
    };
    within("the first job", begun.notified()).await;
    caller.abort();
    assert!(caller.await.unwrap_err().is_cancelled());
    go_on.notify_one();
    within("the commit", receiver).await.unwrap();
    assert_eq!(notes(db.read()).await, [7]);
    home.end(db).await;
}

async fn a_transaction_kept_after_its_job_is_unusable_and_blocks_nothing(database: TestDatabase) {
    let (home, db) = with_notes(database).await;
    let kept = db.write(async |tx: Tx| note(&tx, 1).await.map(|()| tx)).await.unwrap();
    assert!(note(&kept, 2).await.is_err());
    db.write(async |tx: Tx| note(&tx, 3).await).await.unwrap();
    assert_eq!(notes(db.read()).await, [1, 3]);
    home.end(db).await;
}

async fn a_job_that_does_not_end_times_out_and_the_next_one_runs(database: TestDatabase) {
    let (home, db) = with_notes(database).await;
    let endless = db.write(async |tx: Tx| {
        note(&tx, 1).await?;
        tokio::time::pause(); // from here on the clock advances whenever the runtime is idle
        std::future::pending::<Result<(), DbError>>().await
    });
    assert!(matches!(endless.await, Err(DbError::TimedOut)));
    tokio::time::resume();
    // While the clock was paused, the rollback may have timed out on PostgreSQL.
    let next = async {
        while let Err(error) = db.write(async |tx: Tx| note(&tx, 2).await).await {
            assert!(matches!(error, DbError::Unreachable(_)), "{error:?}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    within("the next job", next).await;
    assert_eq!(notes(db.read()).await, [2]);
    home.end(db).await;
}

#[tokio::test]
async fn jobs_beyond_the_queue_are_refused_as_busy_and_no_queued_job_is_lost() {
    let (home, db) = with_notes(TestDatabase::Sqlite).await;
    let (begun, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let first = {
        let (db, begun, go_on) = (db.clone(), begun.clone(), go_on.clone());
        tokio::spawn(async move {
            db.write(async move |tx: Tx| {
                begun.notify_one();
                go_on.notified().await;
                note(&tx, 0).await
            })
            .await
        })
    };
    within("the first job", begun.notified()).await;
    let waiting = (1..=1100).map(|n| db.write(async move |tx: Tx| note(&tx, n).await));
    let results = async {
        let all = futures_util::future::join_all(waiting);
        tokio::pin!(all);
        assert!(futures_util::poll!(&mut all).is_pending());
        go_on.notify_one();
        all.await
    };
    let results = results.await;
    let busy = results.iter().filter(|result| matches!(result, Err(DbError::Busy))).count();
    assert_eq!(busy, 1100 - 1024);
    first.await.unwrap().unwrap();
    assert_eq!(notes(db.read()).await, (0..=1024).collect::<Vec<_>>());
    home.end(db).await;
}

async fn reading_connections_refuse_to_write(database: TestDatabase) {
    let (home, db) = with_notes(database).await;
    assert!(db.read().execute_unprepared("INSERT INTO notes VALUES (1)").await.is_err());
    home.end(db).await;
}

/// Counts the commits in the write-ahead log of SQLite: the last frame of each commit has the size
/// of the file, every other frame has a zero there.
fn commits(home: &Home) -> usize {
    let file = home.folder().join("bellwire.db-wal");
    let log = std::fs::read(file).unwrap();
    let number = |at: usize| u32::from_be_bytes(log[at..at + 4].try_into().unwrap());
    let (page, salt) = (number(8) as usize, &log[16..24]);
    let frames = (32..log.len()).step_by(24 + page).filter(|at| at + 24 <= log.len());
    frames.filter(|at| number(at + 4) != 0 && &log[at + 8..at + 16] == salt).count()
}

#[tokio::test]
async fn on_sqlite_queued_jobs_share_a_commit() {
    let (home, db) = with_notes(TestDatabase::Sqlite).await;
    let before = commits(&home);
    let (begun, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (begins, goes_on) = (begun.clone(), go_on.clone());
    let first = db.write(async move |tx: Tx| {
        begins.notify_one();
        goes_on.notified().await;
        note(&tx, 0).await
    });
    let others = async {
        within("the first job", begun.notified()).await;
        let all = futures_util::future::join_all((1..=100).map(|n| {
            db.write(async move |tx: Tx| match n {
                50 => panic!("as the test wants"),
                n => note(&tx, n).await,
            })
        }));
        tokio::pin!(all);
        assert!(futures_util::poll!(&mut all).is_pending());
        go_on.notify_one();
        all.await
    };
    let (first, others) = tokio::join!(first, others);
    first.unwrap();
    assert_eq!(others.iter().filter(|result| result.is_ok()).count(), 99);
    assert_eq!(commits(&home) - before, 2, "one for the first job, one for all queued jobs");
    assert_eq!(notes(db.read()).await.len(), 100);
    home.end(db).await;
}

async fn an_acknowledged_write_survives_a_restart(database: TestDatabase) {
    let (home, db) = with_notes(database).await;
    db.write(async |tx: Tx| note(&tx, 5).await).await.unwrap();
    db.close().await;
    assert!(matches!(db.write(async |tx: Tx| note(&tx, 6).await).await, Err(DbError::Closed)));
    let db = home.open(&[]).await;
    assert_eq!(notes(db.read()).await, [5]);
    home.end(db).await;
}

async fn commits_wait_for_the_disk(database: TestDatabase) {
    let (home, db) = with_notes(database).await;
    let (query, column, durable) = match database {
        TestDatabase::Sqlite => ("PRAGMA synchronous", "synchronous", "2"),
        TestDatabase::Postgres => ("SHOW synchronous_commit", "synchronous_commit", "on"),
    };
    let setting = db.write(async move |tx: Tx| {
        let row =
            tx.query_one_raw(Statement::from_string(tx.get_database_backend(), query)).await?;
        let row = row.ok_or(DbError::Busy)?;
        let text = row.try_get::<String>("", column);
        Ok::<_, DbError>(
            text.or_else(|_| row.try_get::<i32>("", column).map(|number| number.to_string()))?,
        )
    });
    assert_eq!(setting.await.unwrap(), durable);
    home.end(db).await;
}

async fn text_with_a_nul_is_refused_on_both_databases_without_aborting_the_transaction(
    database: TestDatabase,
) {
    let (home, db) = with_notes(database).await;
    let backend = db.read().get_database_backend();
    let lookup = move |text: &str| {
        let place = if backend == sea_orm::DbBackend::Postgres { "$1" } else { "?" };
        let sql = format!("SELECT n FROM notes WHERE CAST(n AS TEXT) = {place}");
        Statement::from_sql_and_values(backend, sql, [text.into()])
    };
    let looked = db.read().query_one_raw(lookup("1\0")).await.map_err(DbError::from);
    assert!(matches!(looked, Err(DbError::Unstorable)), "{looked:?}");
    let written = db.write(async move |tx: Tx| {
        note(&tx, 1).await?;
        assert!(tx.query_all_raw(lookup("1\0")).await.none_if_unstorable()?.is_empty());
        assert_eq!(tx.query_all_raw(lookup("1")).await?.len(), 1, "the transaction continues");
        Ok::<_, DbError>(())
    });
    written.await.unwrap();
    let refused = db.write(async move |tx: Tx| {
        note(&tx, 2).await?;
        Ok::<_, DbError>(tx.execute_raw(lookup("\0")).await.map(drop)?)
    });
    assert!(matches!(refused.await, Err(DbError::Unstorable)));
    assert_eq!(notes(db.read()).await, [1]);
    home.end(db).await;
}

on_both! {
    concurrent_jobs_that_fail_roll_back_only_their_own_writes,
    callbacks_of_committed_jobs_run_in_order_before_the_write_returns,
    a_panic_in_a_callback_affects_no_other_callback_or_job,
    a_job_continues_when_its_caller_is_cancelled,
    a_transaction_kept_after_its_job_is_unusable_and_blocks_nothing,
    a_job_that_does_not_end_times_out_and_the_next_one_runs,
    reading_connections_refuse_to_write,
    an_acknowledged_write_survives_a_restart,
    commits_wait_for_the_disk,
    text_with_a_nul_is_refused_on_both_databases_without_aborting_the_transaction,
}
