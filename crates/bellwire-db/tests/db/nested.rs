//! Tests of a write inside another write.

use std::cell::RefCell;
use std::sync::Once;

use bellwire_db::{DbError, Tx};
use tokio::sync::oneshot;

use crate::support::{TestDatabase, note, notes, on_both, with_notes, within};

async fn a_nested_write_is_refused_immediately(database: TestDatabase) {
    let (home, db) = with_notes(database).await;
    let inner = db.clone();
    let succeeds = db.write(async move |tx: Tx| {
        note(&tx, 1).await?;
        let nested = inner.write(async |tx: Tx| note(&tx, 2).await).await;
        assert!(matches!(nested, Err(DbError::Nested)), "{nested:?}");
        note(&tx, 3).await
    });
    succeeds.await.unwrap();
    let inner = db.clone();
    let fails = db.write(async move |tx: Tx| {
        note(&tx, 4).await?;
        inner.write(async |tx: Tx| note(&tx, 5).await).await
    });
    assert!(matches!(fails.await, Err(DbError::Nested)));
    assert_eq!(notes(db.read()).await, [1, 3]);
    home.end(db).await;
}

async fn writes_that_only_look_nested_succeed(database: TestDatabase) {
    let (home, db) = with_notes(database).await;
    let (elsewhere, other) = with_notes(database).await;
    let (sender, receiver) = oneshot::channel();
    let (of_other, of_task, of_callback) = (other.clone(), db.clone(), db.clone());
    let written = db.write(async move |tx: Tx| {
        note(&tx, 1).await?;
        of_other.write(async |tx: Tx| note(&tx, 10).await).await?;
        // The job waits neither for this task nor for that of the callback.
        let task =
            tokio::spawn(async move { of_task.write(async |tx: Tx| note(&tx, 2).await).await });
        tx.on_commit(move || {
            tokio::spawn(async move {
                let third = of_callback.write(async |tx: Tx| note(&tx, 3).await).await;
                sender.send(third).unwrap();
            });
        });
        Ok::<_, DbError>(task)
    });
    let task = written.await.unwrap();
    within("the task", task).await.unwrap().unwrap();
    within("the callback's task", receiver).await.unwrap().unwrap();
    assert_eq!(notes(db.read()).await, [1, 2, 3]);
    assert_eq!(notes(other.read()).await, [10]);
    elsewhere.end(other).await;
    home.end(db).await;
}

thread_local! {
    /// The log of a test, in memory: each test and its runtime use one thread.
    static LOG: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

struct LogOfThisThread;

impl std::io::Write for LogOfThisThread {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        LOG.with_borrow_mut(|log| log.write(bytes))
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Subscribes for the whole program: tracing caches whether a log line is enabled, so a line that
/// is first reached on a thread without a subscriber would be disabled in other tests as well.
fn subscribe() {
    static SUBSCRIBED: Once = Once::new();
    SUBSCRIBED.call_once(|| {
        let lines =
            tracing_subscriber::fmt().with_ansi(false).with_writer(|| LogOfThisThread).finish();
        tracing::subscriber::set_global_default(lines).expect("no other subscriber");
    });
}

async fn a_nested_write_is_logged_even_if_the_job_ignores_the_error(database: TestDatabase) {
    subscribe();
    let (home, db) = with_notes(database).await;
    let inner = db.clone();
    let succeeds = db.write(async move |tx: Tx| {
        let _ = inner.write(async |tx: Tx| note(&tx, 2).await).await;
        note(&tx, 1).await
    });
    succeeds.await.unwrap();
    let log = String::from_utf8(LOG.take()).unwrap();
    let mut lines = log.lines().filter(|line| line.contains("use the job's own transaction"));
    assert!(lines.next().is_some_and(|line| line.contains("ERROR")), "{log}");
    assert_eq!(lines.next(), None, "{log}");
    home.end(db).await;
}

on_both! {
    a_nested_write_is_refused_immediately,
    writes_that_only_look_nested_succeed,
    a_nested_write_is_logged_even_if_the_job_ignores_the_error,
}
