//! The one writer of SQLite.
//!
//! SQLite lets one connection write at a time and makes each commit wait for the disk. So one task holds the writing
//! connection, and all jobs that wait while it commits share the next commit. Each has a savepoint: what fails is
//! rolled back to it and harms nobody else.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use sea_orm::{
    DatabaseConnection, DatabaseTransaction, DbErr, SqliteTransactionMode, TransactionOptions,
    TransactionTrait,
};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::job::{self, Ran};
use super::tx::Callbacks;
use super::{DbError, Tx};

/// Jobs that may wait. The next one is refused with [`DbError::Busy`], and the person is told to try again.
const QUEUE: usize = 1024;

/// Jobs that share a commit at most, so that the first of them does not wait for long.
const BATCH: usize = 128;

/// Tells a job how its commit went, and thereby answers whoever asked for it.
type Answer = Box<dyn FnOnce(Result<(), Arc<DbErr>>) + Send>;

/// A job that ran in its savepoint, and waits for the commit.
struct Done {
    savepoint: DatabaseTransaction,
    keep: bool,
    callbacks: Callbacks,
    answer: Answer,
}

/// A job that waits for its turn.
trait Waiting: Send {
    fn run(self: Box<Self>, savepoint: DatabaseTransaction) -> Pin<Box<dyn Future<Output = Done> + Send>>;
    fn refuse(self: Box<Self>, why: Arc<DbErr>);
}

struct Job<F, T, E> {
    work: F,
    reply: oneshot::Sender<Result<T, E>>,
}

impl<T, E, F, Fut> Waiting for Job<F, T, E>
where
    F: FnOnce(Tx) -> Fut + Send + 'static,
    Fut: Future<Output = Result<T, E>> + Send + 'static,
    T: Send + 'static,
    E: From<DbError> + Send + 'static,
{
    fn run(self: Box<Self>, savepoint: DatabaseTransaction) -> Pin<Box<dyn Future<Output = Done> + Send>> {
        Box::pin(async move {
            let Job { work, reply } = *self;
            let Ran { result, transaction, callbacks } = job::run(savepoint, work).await;
            let keep = result.is_ok();
            let answer: Answer = Box::new(move |committed| {
                let result = match committed {
                    Err(why) if keep => Err(DbError::NotCommitted(why).into()),
                    _ => result,
                };
                // Whoever asked may have gone: the job is done all the same.
                let _ = reply.send(result);
            });
            Done { savepoint: transaction, keep, callbacks, answer }
        })
    }

    fn refuse(self: Box<Self>, why: Arc<DbErr>) {
        let _ = self.reply.send(Err(DbError::NotCommitted(why).into()));
    }
}

/// The door of SQLite: a queue to the one writing task.
#[derive(Debug, Clone)]
pub(super) struct Writer {
    queue: mpsc::Sender<Box<dyn Waiting>>,
    closing: CancellationToken,
    task: TaskTracker,
}

impl Writer {
    pub(super) fn start(connection: DatabaseConnection) -> Self {
        let (queue, waiting) = mpsc::channel(QUEUE);
        let (closing, task) = (CancellationToken::new(), TaskTracker::new());
        task.spawn(write_all(connection, waiting, closing.clone()));
        task.close();
        Self { queue, closing, task }
    }

    pub(super) async fn write<T, E, F, Fut>(&self, work: F) -> Result<T, E>
    where
        F: FnOnce(Tx) -> Fut + Send + 'static,
        Fut: Future<Output = Result<T, E>> + Send + 'static,
        T: Send + 'static,
        E: From<DbError> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        self.queue.try_send(Box::new(Job { work, reply })).map_err(|refused| match refused {
            mpsc::error::TrySendError::Full(_) => DbError::Busy,
            mpsc::error::TrySendError::Closed(_) => DbError::Closed,
        })?;
        answer.await.unwrap_or_else(|_| Err(DbError::Closed.into()))
    }

    pub(super) async fn close(&self) {
        self.closing.cancel();
        self.task.wait().await;
    }
}

/// The writing task: until it is closed, and then until the queue is empty.
async fn write_all(
    connection: DatabaseConnection,
    mut waiting: mpsc::Receiver<Box<dyn Waiting>>,
    closing: CancellationToken,
) {
    let mut jobs = Vec::with_capacity(BATCH);
    loop {
        let some = tokio::select! {
            biased;
            () = closing.cancelled(), if !waiting.is_closed() => { waiting.close(); continue }
            some = waiting.recv_many(&mut jobs, BATCH) => some,
        };
        if some == 0 {
            break;
        }
        commit_together(&connection, &mut jobs).await;
    }
    if let Err(error) = connection.close().await {
        tracing::warn!(%error, "Could not close the writing connection");
    }
}

/// Begins to write at once, so that there is no finding out in the middle that another process does.
pub(super) async fn begin(connection: &DatabaseConnection) -> Result<DatabaseTransaction, DbErr> {
    let sqlite_transaction_mode = Some(SqliteTransactionMode::Immediate);
    connection.begin_with_options(TransactionOptions { sqlite_transaction_mode, ..Default::default() }).await
}

/// Runs the jobs in one transaction, commits it, and answers them.
async fn commit_together(connection: &DatabaseConnection, jobs: &mut Vec<Box<dyn Waiting>>) {
    let transaction = match begin(connection).await {
        Ok(transaction) => transaction,
        Err(error) => return refuse_all(jobs.drain(..), error),
    };
    let mut finished = Vec::with_capacity(jobs.len());
    let mut jobs = jobs.drain(..);
    let mut broken = None;
    for job in jobs.by_ref() {
        match run_in_savepoint(&transaction, job).await {
            Ok(done) => finished.push(done),
            Err((done, error)) => {
                finished.extend(done);
                broken = Some(error);
                break;
            }
        }
    }
    let committed = match broken {
        None => transaction.commit().await.map_err(Arc::new),
        Some(error) => {
            if let Err(error) = transaction.rollback().await {
                tracing::error!(%error, "Could not roll back");
            }
            Err(error)
        }
    };
    if let Err(error) = &committed {
        tracing::error!(%error, "Could not commit; nothing of {} jobs was kept", finished.len());
        jobs.for_each(|job| job.refuse(error.clone()));
    }
    answer_all(finished, &committed);
}

/// What stays of a job after its savepoint: its callbacks, if it is to be kept, and its answer.
type Finished = (Callbacks, Answer);

/// Runs one job. An error here is one of the transaction as a whole, not of the job.
async fn run_in_savepoint(
    transaction: &DatabaseTransaction,
    job: Box<dyn Waiting>,
) -> Result<Finished, (Option<Finished>, Arc<DbErr>)> {
    let savepoint = match transaction.begin().await {
        Ok(savepoint) => savepoint,
        Err(error) => {
            let error = Arc::new(error);
            job.refuse(error.clone());
            return Err((None, error));
        }
    };
    let Done { savepoint, keep, callbacks, answer } = job.run(savepoint).await;
    let (ended, callbacks) = if keep {
        (savepoint.commit().await, callbacks)
    } else {
        (savepoint.rollback().await, Callbacks::new())
    };
    match ended {
        Ok(()) => Ok((callbacks, answer)),
        Err(error) => Err((Some((Callbacks::new(), answer)), Arc::new(error))),
    }
}

fn answer_all(finished: Vec<Finished>, committed: &Result<(), Arc<DbErr>>) {
    let mut answers = Vec::with_capacity(finished.len());
    for (callbacks, answer) in finished {
        if committed.is_ok() {
            job::committed(callbacks);
        }
        answers.push(answer);
    }
    for answer in answers {
        answer(committed.clone());
    }
}

fn refuse_all(jobs: impl Iterator<Item = Box<dyn Waiting>>, error: DbErr) {
    tracing::error!(%error, "Could not begin to write");
    let error = Arc::new(error);
    jobs.for_each(|job| job.refuse(error.clone()));
}
