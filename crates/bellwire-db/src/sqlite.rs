//! Writer task for SQLite.
//!
//! SQLite permits one writer at a time, and each commit waits for the disk. So one task holds the
//! write connection, and the jobs that are queued during a commit share the next one. Each job has
//! a savepoint: a failed job is rolled back to it without affecting the others.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use sea_orm::{DatabaseTransaction, DbErr, TransactionTrait};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::callbacks::{AfterCommit, CallbackQueue, Callbacks};
use crate::chain::chain;
use crate::error::DbError;
use crate::health::Health;
use crate::job::{self, Outcome};
use crate::outage::Outage;
use crate::tx::JobState;
use crate::tx::Tx;
use crate::write_connection::WriteConnection;

/// Jobs that may wait. Further jobs are refused with [`DbError::Busy`], which asks the person to
/// try again.
const QUEUE: usize = 1024;

/// The largest number of jobs in a commit, so that the first of them does not wait for long.
const BATCH: usize = 128;

/// Commits whose callbacks may wait. When the queue is full, the writer waits before it begins the
/// next transaction.
const CALLBACK_QUEUE: usize = 64;

/// Passes the result of the commit to a job, which replies to its caller.
type Reply = Box<dyn FnOnce(Result<(), DbErr>) + Send>;

/// A job that has run in its savepoint and waits for the commit.
struct RanJob {
    savepoint: DatabaseTransaction,
    keep: bool,
    state: JobState,
    reply: Reply,
}

/// A job in the queue of the writer task.
trait QueuedJob: Send {
    fn run(
        self: Box<Self>,
        savepoint: DatabaseTransaction,
        health: Arc<Health>,
    ) -> Pin<Box<dyn Future<Output = RanJob> + Send>>;
    fn refuse(self: Box<Self>, error: DbErr);
}

struct Job<F, T, E> {
    work: F,
    reply: oneshot::Sender<Result<T, E>>,
}

impl<T, E, F, Fut> QueuedJob for Job<F, T, E>
where
    F: FnOnce(Tx) -> Fut + Send + 'static,
    Fut: Future<Output = Result<T, E>> + Send + 'static,
    T: Send + 'static,
    E: From<DbError> + Send + 'static,
{
    fn run(
        self: Box<Self>,
        savepoint: DatabaseTransaction,
        health: Arc<Health>,
    ) -> Pin<Box<dyn Future<Output = RanJob> + Send>> {
        Box::pin(async move {
            let Job { work, reply: sender } = *self;
            let Outcome { result, transaction, state } = job::run(savepoint, &health, work).await;
            let keep = result.is_ok();
            let reply: Reply = Box::new(move |committed| {
                let result = match committed {
                    Err(error) if keep => Err(DbError::not_committed(error).into()),
                    _ => result,
                };
                // The caller may have been cancelled; the job is complete nevertheless.
                let _ = sender.send(result);
            });
            RanJob { savepoint: transaction, keep, state, reply }
        })
    }

    fn refuse(self: Box<Self>, error: DbErr) {
        let _ = self.reply.send(Err(DbError::not_committed(error).into()));
    }
}

/// The write backend for SQLite: a queue to the writer task.
#[derive(Debug, Clone)]
pub(crate) struct Writer {
    queue: mpsc::Sender<Box<dyn QueuedJob>>,
    closing: CancellationToken,
    task: TaskTracker,
}

impl Writer {
    pub(crate) fn start(write_connection: WriteConnection, health: Arc<Health>) -> Self {
        let (queue, jobs) = mpsc::channel(QUEUE);
        let (closing, task) = (CancellationToken::new(), TaskTracker::new());
        task.spawn(write_all(
            WriterTask {
                write_connection,
                health,
                callbacks: CallbackQueue::start(CALLBACK_QUEUE),
            },
            jobs,
            closing.clone(),
        ));
        task.close();
        Self { queue, closing, task }
    }

    pub(crate) async fn write<T, E, F, Fut>(&self, work: F) -> Result<T, E>
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

    pub(crate) async fn close(&self) {
        self.closing.cancel();
        self.task.wait().await;
    }
}

/// The resources of the writer task.
struct WriterTask {
    write_connection: WriteConnection,
    health: Arc<Health>,
    callbacks: CallbackQueue,
}

/// Runs the writer task until the queue is closed and empty.
async fn write_all(
    writer: WriterTask,
    mut queue: mpsc::Receiver<Box<dyn QueuedJob>>,
    closing: CancellationToken,
) {
    let mut batch = Vec::with_capacity(BATCH);
    loop {
        let received = tokio::select! {
            biased;
            () = closing.cancelled(), if !queue.is_closed() => { queue.close(); continue }
            received = queue.recv_many(&mut batch, BATCH) => received,
        };
        if received == 0 {
            break;
        }
        writer.commit_together(&mut batch).await;
    }
    writer.callbacks.close().await;
    if let Err(error) = writer.write_connection.close().await {
        tracing::warn!(%error, "Could not close the write connection");
    }
}

/// A job after its savepoint: the callbacks to run if the commit succeeds, and its reply.
type Finished = (Callbacks, Reply);

/// The error that broke the shared transaction, and the job that ran then, if it awaits its reply.
type Broken = (DbErr, Option<Finished>);

impl WriterTask {
    /// Runs the jobs in one transaction, commits it, and replies to their callers.
    async fn commit_together(&self, jobs: &mut Vec<Box<dyn QueuedJob>>) {
        let mut jobs = jobs.drain(..);
        let transaction = match self.write_connection.begin().await {
            Ok(transaction) => transaction,
            Err(error) => {
                self.report(&error, jobs.len());
                return jobs.for_each(|job| job.refuse(error.clone()));
            }
        };
        let mut finished = Vec::with_capacity(jobs.len());
        let mut broken = None;
        for job in jobs.by_ref() {
            match self.run_in_savepoint(&transaction, job).await {
                Ok(done) => finished.push(done),
                Err((error, done)) => {
                    finished.extend(done);
                    broken = Some(error);
                    break;
                }
            }
        }
        let committed = match broken {
            None => self.write_connection.commit(transaction).await,
            Some(error) => {
                self.write_connection.abandon(transaction).await;
                Err(error)
            }
        };
        if let Err(error) = &committed {
            self.report(error, finished.len() + jobs.len());
            jobs.for_each(|job| job.refuse(error.clone()));
        }
        match committed {
            Ok(()) => self.reply_all(finished).await,
            Err(error) => finished.into_iter().for_each(|(_, reply)| reply(Err(error.clone()))),
        }
    }

    /// Replies to the callers of a commit's jobs. Jobs with callbacks are answered after these have
    /// run, on the callback task.
    async fn reply_all(&self, finished: Vec<Finished>) {
        let mut after: AfterCommit = Vec::new();
        for (callbacks, reply) in finished {
            match callbacks.is_empty() {
                true => reply(Ok(())),
                false => after.push((callbacks, Box::new(move || reply(Ok(()))))),
            }
        }
        if !after.is_empty() {
            self.callbacks.reserve().await.committed(after);
        }
    }

    /// Runs one job. An error here is an error of the whole transaction, not of the job.
    async fn run_in_savepoint(
        &self,
        transaction: &DatabaseTransaction,
        job: Box<dyn QueuedJob>,
    ) -> Result<Finished, Broken> {
        let savepoint = match transaction.begin().await {
            Ok(savepoint) => savepoint,
            Err(error) => {
                job.refuse(error.clone());
                return Err((error, None));
            }
        };
        let RanJob { savepoint, keep, state, reply } =
            job.run(savepoint, self.health.clone()).await;
        let ended = match keep {
            true => savepoint.commit().await,
            false => self.write_connection.roll_back(savepoint).await,
        };
        match ended {
            Ok(()) if keep => Ok((state.callbacks, reply)),
            Ok(()) => Ok((Callbacks::new(), reply)),
            // SQLite has rolled back the whole transaction, so the savepoint no longer exists. An
            // earlier outage is the cause.
            Err(error) => Err((state.outage.unwrap_or(error), Some((Callbacks::new(), reply)))),
        }
    }

    /// Logs an outage at most once per interval, and any other error each time.
    fn report(&self, error: &DbErr, jobs: usize) {
        match Outage::of(error) {
            Some(_) => self.health.note(error),
            None => {
                tracing::error!(
                    error = chain(error),
                    "Could not commit; {jobs} jobs were rolled back"
                )
            }
        }
    }
}
