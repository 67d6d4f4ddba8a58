//! Callbacks that run after commits: one queue, in the order of the commits, on a task of its own.

use std::panic::AssertUnwindSafe;

use bellwire::batch;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// The callbacks that one job left, in its order.
pub(crate) type Callbacks = Vec<Box<dyn FnOnce() + Send>>;

/// Tells whoever asked for a job that it is committed.
type Answer = Box<dyn FnOnce() + Send>;

/// What follows one commit: the callbacks of its jobs in their order, and their answers.
pub(crate) type Following = Vec<(Callbacks, Answer)>;

/// The queue between the commits and their callbacks.
#[derive(Debug, Clone)]
pub(crate) struct CallbackQueue {
    places: mpsc::Sender<oneshot::Receiver<Following>>,
    closing: CancellationToken,
    task: TaskTracker,
}

/// A place in the queue, for what follows one commit. Dropped, it follows nothing.
pub(crate) struct Place(oneshot::Sender<Following>);

impl CallbackQueue {
    /// A queue with so many places.
    pub(crate) fn start(places: usize) -> Self {
        let (sender, waiting) = mpsc::channel(places);
        let (closing, task) = (CancellationToken::new(), TaskTracker::new());
        task.spawn(run_all(waiting, closing.clone()));
        task.close();
        Self { places: sender, closing, task }
    }

    /// The next place in the order of the commits. Waits as long as all places are taken.
    pub(crate) async fn place(&self) -> Place {
        let (place, waiting) = oneshot::channel();
        // The queue is closed after the last commit. Were it closed before, `committed` would run
        // what follows.
        let _ = self.places.send(waiting).await;
        Place(place)
    }

    /// Waits until all callbacks have run. Comes after the last commit.
    pub(crate) async fn close(&self) {
        self.closing.cancel();
        self.task.wait().await;
    }
}

impl Place {
    /// Runs this as soon as what follows the commits before has run.
    pub(crate) fn committed(self, following: Following) {
        if let Err(following) = self.0.send(following) {
            run(following); // the runtime ends, and the queue's task has ended before
        }
    }
}

async fn run_all(
    mut waiting: mpsc::Receiver<oneshot::Receiver<Following>>,
    closing: CancellationToken,
) {
    loop {
        let place = tokio::select! {
            biased;
            () = closing.cancelled(), if !waiting.is_closed() => { waiting.close(); continue }
            place = waiting.recv() => place,
        };
        let Some(place) = place else { break };
        if let Ok(following) = place.await {
            run(following);
        }
    }
}

fn run(following: Following) {
    let mut answers = Vec::with_capacity(following.len());
    // Changes of one room that follow each other reach its members together.
    batch(|| {
        for (callbacks, answer) in following {
            callbacks.into_iter().for_each(run_caught);
            answers.push(answer);
        }
    });
    answers.into_iter().for_each(|answer| answer());
}

/// A panic in one callback does not keep the others from running.
fn run_caught(callback: Box<dyn FnOnce() + Send>) {
    if std::panic::catch_unwind(AssertUnwindSafe(callback)).is_err() {
        tracing::error!("A callback after a commit panicked");
    }
}
