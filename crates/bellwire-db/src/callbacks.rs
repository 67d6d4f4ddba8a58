//! The queue of post-commit callbacks, which run in commit order on a separate task.

use std::panic::AssertUnwindSafe;

use bellwire::batch;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// The callbacks that one job registered, in order.
pub(crate) type Callbacks = Vec<Box<dyn FnOnce() + Send>>;

/// Tells the caller of a job that it is committed.
type Reply = Box<dyn FnOnce() + Send>;

/// The callbacks of the jobs of one commit, in order, each with the reply to its caller.
pub(crate) type AfterCommit = Vec<(Callbacks, Reply)>;

/// The queue between the commits and their callbacks.
#[derive(Debug, Clone)]
pub(crate) struct CallbackQueue {
    slots: mpsc::Sender<oneshot::Receiver<AfterCommit>>,
    closing: CancellationToken,
    task: TaskTracker,
}

/// A reserved slot in the queue for one commit. If it is dropped, nothing runs.
pub(crate) struct Slot(oneshot::Sender<AfterCommit>);

impl CallbackQueue {
    /// Starts a queue with this many slots.
    pub(crate) fn start(capacity: usize) -> Self {
        let (slots, queue) = mpsc::channel(capacity);
        let (closing, task) = (CancellationToken::new(), TaskTracker::new());
        task.spawn(run_all(queue, closing.clone()));
        task.close();
        Self { slots, closing, task }
    }

    /// Reserves the next slot in commit order. Waits while all slots are taken.
    pub(crate) async fn reserve(&self) -> Slot {
        let (slot, receiver) = oneshot::channel();
        // The queue closes after the last commit. If it were closed earlier, `committed` would run
        // the callbacks itself.
        let _ = self.slots.send(receiver).await;
        Slot(slot)
    }

    /// Waits until all callbacks have run. Call it after the last commit.
    pub(crate) async fn close(&self) {
        self.closing.cancel();
        self.task.wait().await;
    }
}

impl Slot {
    /// Queues the callbacks of this commit; they run after those of earlier commits.
    pub(crate) fn committed(self, after: AfterCommit) {
        if let Err(after) = self.0.send(after) {
            run(after); // the runtime is shutting down, and the task of the queue has ended
        }
    }
}

async fn run_all(
    mut queue: mpsc::Receiver<oneshot::Receiver<AfterCommit>>,
    closing: CancellationToken,
) {
    loop {
        let slot = tokio::select! {
            biased;
            () = closing.cancelled(), if !queue.is_closed() => { queue.close(); continue }
            slot = queue.recv() => slot,
        };
        let Some(slot) = slot else { break };
        if let Ok(after) = slot.await {
            run(after);
        }
    }
}

fn run(after: AfterCommit) {
    let mut replies = Vec::with_capacity(after.len());
    // Members of a group receive consecutive changes as one batch.
    batch(|| {
        for (callbacks, reply) in after {
            callbacks.into_iter().for_each(run_caught);
            replies.push(reply);
        }
    });
    replies.into_iter().for_each(|reply| reply());
}

/// Runs a callback and logs its panic, so that the other callbacks still run.
fn run_caught(callback: Box<dyn FnOnce() + Send>) {
    if std::panic::catch_unwind(AssertUnwindSafe(callback)).is_err() {
        tracing::error!("A post-commit callback panicked");
    }
}
