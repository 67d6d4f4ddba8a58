//! The one writer of SQLite.
//!
//! SQLite lets one connection write at a time and makes each commit wait for the disk. So one task
//! holds the writing connection, and all jobs that wait while it commits share the next commit.
//! Each has a savepoint: what fails is rolled back to it and harms nobody else.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use sea_orm::{DatabaseTransaction, DbErr, TransactionTrait};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::callbacks::{CallbackQueue, Callbacks, Following};
use crate::chain::chain;
use crate::error::DbError;
use crate::health::Health;
use crate::job::{self, Ran};
use crate::outage::Outage;
use crate::tx::Left;
use crate::tx::Tx;
use crate::write_connection::WriteConnection;

/// Jobs that may wait. The next one is refused with [`DbError::Busy`], and the person is told to
/// try again.
const QUEUE: usize = 1024;

/// Jobs that share a commit at most, so that the first of them does not wait for long.
const BATCH: usize = 128;

/// Commits whose callbacks may wait. Where so many do, the writer waits for them before it begins
/// the next transaction.
const COMMITS: usize = 64;

/// Tells a job how its commit went, and thereby answers whoever asked for it.
type Answer = Box<dyn FnOnce(Result<(), DbErr>) + Send>;

/// A job that ran in its savepoint, and waits for the commit.
struct Done {
    savepoint: DatabaseTransaction,
    keep: bool,
    left: Left,
    answer: Answer,
}

/// A job that waits for its turn.
trait Waiting: Send {
    fn run(
        self: Box<Self>,
        savepoint: DatabaseTransaction,
        health: Arc<Health>,
    ) -> Pin<Box<dyn Future<Output = Done> + Send>>;
    fn refuse(self: Box<Self>, why: DbErr);
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
    fn run(
        self: Box<Self>,
        savepoint: DatabaseTransaction,
        health: Arc<Health>,
    ) -> Pin<Box<dyn Future<Output = Done> + Send>> {
        Box::pin(async move {
            let Job { work, reply } = *self;
            let Ran { result, transaction, left } = job::run(savepoint, &health, work).await;
            let keep = result.is_ok();
            let answer: Answer = Box::new(move |committed| {
                let result = match committed {
                    Err(why) if keep => Err(DbError::not_committed(why).into()),
                    _ => result,
                };
                // Whoever asked may have gone: the job is done all the same.
                let _ = reply.send(result);
            });
            Done { savepoint: transaction, keep, left, answer }
        })
    }

    fn refuse(self: Box<Self>, why: DbErr) {
        let _ = self.reply.send(Err(DbError::not_committed(why).into()));
    }
}

/// The door of SQLite: a queue to the one writing task.
#[derive(Debug, Clone)]
pub(crate) struct Writer {
    queue: mpsc::Sender<Box<dyn Waiting>>,
    closing: CancellationToken,
    task: TaskTracker,
}

impl Writer {
    pub(crate) fn start(write_connection: WriteConnection, health: Arc<Health>) -> Self {
        let (queue, waiting) = mpsc::channel(QUEUE);
        let (closing, task) = (CancellationToken::new(), TaskTracker::new());
        task.spawn(write_all(
            WriterTask { write_connection, health, callbacks: CallbackQueue::start(COMMITS) },
            waiting,
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

/// What the writing task works with.
struct WriterTask {
    write_connection: WriteConnection,
    health: Arc<Health>,
    callbacks: CallbackQueue,
}

/// The writing task: until it is closed, and then until the queue is empty.
async fn write_all(
    writer: WriterTask,
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
        writer.commit_together(&mut jobs).await;
    }
    writer.callbacks.close().await;
    if let Err(error) = writer.write_connection.close().await {
        tracing::warn!(%error, "Could not close the writing connection");
    }
}

/// What stays of a job after its savepoint: its callbacks, if it is to be kept, and its answer.
type Finished = (Callbacks, Answer);

/// What broke the transaction of all, and the job that was at work, if it is to be answered still.
type Broken = (DbErr, Option<Finished>);

impl WriterTask {
    /// Runs the jobs in one transaction, commits it, and answers them.
    async fn commit_together(&self, jobs: &mut Vec<Box<dyn Waiting>>) {
        let mut jobs = jobs.drain(..);
        let transaction = match self.write_connection.begin().await {
            Ok(transaction) => transaction,
            Err(error) => {
                self.tell(&error, jobs.len());
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
                self.write_connection.give_up(transaction).await;
                Err(error)
            }
        };
        if let Err(error) = &committed {
            self.tell(error, finished.len() + jobs.len());
            jobs.for_each(|job| job.refuse(error.clone()));
        }
        match committed {
            Ok(()) => self.follow(finished).await,
            Err(error) => finished.into_iter().for_each(|(_, answer)| answer(Err(error.clone()))),
        }
    }

    /// Answers the jobs of a commit: those that left callbacks after these have run, on the task of
    /// the callbacks.
    async fn follow(&self, finished: Vec<Finished>) {
        let mut following: Following = Vec::new();
        for (callbacks, answer) in finished {
            match callbacks.is_empty() {
                true => answer(Ok(())),
                false => following.push((callbacks, Box::new(move || answer(Ok(()))))),
            }
        }
        if !following.is_empty() {
            self.callbacks.place().await.committed(following);
        }
    }

    /// Runs one job. An error here is one of the transaction as a whole, not of the job.
    async fn run_in_savepoint(
        &self,
        transaction: &DatabaseTransaction,
        job: Box<dyn Waiting>,
    ) -> Result<Finished, Broken> {
        let savepoint = match transaction.begin().await {
            Ok(savepoint) => savepoint,
            Err(error) => {
                job.refuse(error.clone());
                return Err((error, None));
            }
        };
        let Done { savepoint, keep, left, answer } = job.run(savepoint, self.health.clone()).await;
        let ended = match keep {
            true => savepoint.commit().await,
            false => self.write_connection.take_back(savepoint).await,
        };
        match ended {
            Ok(()) if keep => Ok((left.callbacks, answer)),
            Ok(()) => Ok((Callbacks::new(), answer)),
            // SQLite has rolled back all by itself: there is no savepoint any more, and what came
            // before says why.
            Err(error) => Err((left.outage.unwrap_or(error), Some((Callbacks::new(), answer)))),
        }
    }

    /// What passes by itself is told once in a while, a fault of ours each time.
    fn tell(&self, error: &DbErr, jobs: usize) {
        match Outage::of(error) {
            Some(_) => self.health.note(error),
            None => {
                tracing::error!(
                    error = chain(error),
                    "Could not commit; nothing of {jobs} jobs was kept"
                )
            }
        }
    }
}
