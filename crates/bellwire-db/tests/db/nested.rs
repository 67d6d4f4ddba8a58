//! A write inside a write.

use std::cell::RefCell;
use std::sync::Once;

use bellwire_db::{DbError, Tx};
use tokio::sync::oneshot;

use crate::support::{TestDatabase, note, notes, on_both, with_notes, within};

async fn a_write_inside_a_write_is_refused_at_once(database: TestDatabase) {
    let (home, db) = with_notes(database).await;
    let inner = db.clone();
    let goes_on = db.write(async move |tx: Tx| {
        note(&tx, 1).await?;
        let nested = inner.write(async |tx: Tx| note(&tx, 2).await).await;
        assert!(matches!(nested, Err(DbError::Nested)), "{nested:?}");
        note(&tx, 3).await
    });
    goes_on.await.unwrap();
    let inner = db.clone();
    let fails = db.write(async move |tx: Tx| {
        note(&tx, 4).await?;
        inner.write(async |tx: Tx| note(&tx, 5).await).await
    });
    assert!(matches!(fails.await, Err(DbError::Nested)));
    assert_eq!(notes(db.read()).await, [1, 3]);
    home.end(db).await;
}

async fn what_only_looks_nested_is_written(database: TestDatabase) {
    let (home, db) = with_notes(database).await;
    let (elsewhere, other) = with_notes(database).await;
    let (told, hears) = oneshot::channel();
    let (of_other, of_task, of_callback) = (other.clone(), db.clone(), db.clone());
    let written = db.write(async move |tx: Tx| {
        note(&tx, 1).await?;
        of_other.write(async |tx: Tx| note(&tx, 10).await).await?;
        // Nobody in this job waits for this task, nor for that of the callback.
        let task =
            tokio::spawn(async move { of_task.write(async |tx: Tx| note(&tx, 2).await).await });
        tx.on_commit(move || {
            tokio::spawn(async move {
                let third = of_callback.write(async |tx: Tx| note(&tx, 3).await).await;
                told.send(third).unwrap();
            });
        });
        Ok::<_, DbError>(task)
    });
    let task = written.await.unwrap();
    within("the task", task).await.unwrap().unwrap();
    within("the callback's task", hears).await.unwrap().unwrap();
    assert_eq!(notes(db.read()).await, [1, 2, 3]);
    assert_eq!(notes(other.read()).await, [10]);
    elsewhere.end(other).await;
    home.end(db).await;
}

thread_local! {
    /// The log of a test, in memory: each test has a thread, and its runtime no other.
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

/// Listens for the whole program: what one test logs without a listener would stay silent in
/// others.
fn listen() {
    static LISTENS: Once = Once::new();
    LISTENS.call_once(|| {
        let lines =
            tracing_subscriber::fmt().with_ansi(false).with_writer(|| LogOfThisThread).finish();
        tracing::subscriber::set_global_default(lines).expect("nobody else listens");
    });
}

async fn a_write_inside_a_write_is_in_the_log_also_when_the_job_drops_the_error(
    database: TestDatabase,
) {
    listen();
    let (home, db) = with_notes(database).await;
    let inner = db.clone();
    let goes_on = db.write(async move |tx: Tx| {
        let _ = inner.write(async |tx: Tx| note(&tx, 2).await).await;
        note(&tx, 1).await
    });
    goes_on.await.unwrap();
    let said = String::from_utf8(LOG.take()).unwrap();
    let told = said.lines().filter(|line| line.contains("use the transaction that the job has"));
    assert!(told.clone().count() == 1 && told.clone().all(|line| line.contains("ERROR")), "{said}");
    home.end(db).await;
}

on_both! {
    a_write_inside_a_write_is_refused_at_once,
    what_only_looks_nested_is_written,
    a_write_inside_a_write_is_in_the_log_also_when_the_job_drops_the_error,
}
