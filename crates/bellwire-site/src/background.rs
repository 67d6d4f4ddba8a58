//! Background tasks that run while a site serves.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use futures_util::FutureExt;
use std::panic::AssertUnwindSafe;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::SiteState;

type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A named background task. It starts when the site serves, and returns when its token is
/// cancelled.
#[derive(Clone)]
pub(crate) struct Background {
    name: &'static str,
    task: Arc<dyn Fn(SiteState, CancellationToken) -> Task + Send + Sync>,
}

impl Background {
    pub(crate) fn new<F>(
        name: &'static str,
        task: impl Fn(SiteState, CancellationToken) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        Self { name, task: Arc::new(move |site, stop| Box::pin(task(site, stop))) }
    }

    /// Starts the task. A panic is logged and ends only this task.
    pub(crate) fn start(&self, site: &SiteState, stop: &CancellationToken, tasks: &TaskTracker) {
        let (name, work) = (self.name, (self.task)(site.clone(), stop.clone()));
        tasks.spawn(async move {
            if AssertUnwindSafe(work).catch_unwind().await.is_err() {
                tracing::error!(task = name, "A background task panicked and has ended");
            }
        });
    }
}

impl fmt::Debug for Background {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Background").field("name", &self.name).finish_non_exhaustive()
    }
}
