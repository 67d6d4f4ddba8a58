//! Named channels: work for whoever takes it.

use std::any::Any;
use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::marker::PhantomData;

use tokio::sync::Notify;

use super::{Layer, burst};
use crate::sync::atomic::{AtomicUsize, Ordering};
use crate::sync::{Arc, Mutex, MutexGuard, PoisonError};
use crate::{Event, GroupName};

/// How many messages wait in one named channel at most. One more is refused, and its sender told.
const CAPACITY: usize = 1000;

/// A channel with a name of its own, which background workers receive from: each message goes to exactly one of them. Messages wait,
/// in order, until somebody receives; they live in this process's memory, so what must survive a crash belongs into a table.
///
/// ```
/// use bellwire::{Bellwire, GroupName};
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let bellwire = Bellwire::builder("http://127.0.0.1:8000").build()?;
/// let thumbnails = bellwire.layer().named_channel::<String>(GroupName::new("thumbnails")?);
/// let worker = { let jobs = thumbnails.clone(); tokio::spawn(async move { jobs.receive().await }) };
/// thumbnails.send("cat.jpg".to_owned())?;
/// assert_eq!(worker.await?, "cat.jpg");
/// # Ok(()) }
/// ```
pub struct NamedChannel<E> {
    layer: Layer,
    name: GroupName,
    queue: Arc<Queue>,
    message: PhantomData<fn(E) -> E>,
}

/// The named channels that somebody holds or that hold something.
pub(super) type Registry = Mutex<HashMap<GroupName, Arc<Queue>>>;

#[derive(Default)]
pub(super) struct Queue {
    /// How many handles there are. Only under the registry's lock is the last one known to be the last.
    handles: AtomicUsize,
    messages: Mutex<VecDeque<Box<dyn Any + Send>>>,
    arrived: Notify,
}

/// A message that was not taken, because too many are waiting.
#[derive(Debug, thiserror::Error)]
#[error("the channel `{0}` is full: {CAPACITY} messages wait in it and nobody receives them fast enough")]
pub struct ChannelFull(GroupName);

impl<E: Event> NamedChannel<E> {
    pub(super) fn open(layer: Layer, name: GroupName) -> Self {
        let queue = {
            let mut registry = lock(layer.named());
            let queue = registry.entry(name.clone()).or_default().clone();
            queue.handles.fetch_add(1, Ordering::Relaxed);
            queue
        };
        Self { layer, name, queue, message: PhantomData }
    }

    /// Leaves a message for whichever worker is next.
    ///
    /// # Errors
    /// When too many are waiting.
    pub fn send(&self, message: E) -> Result<(), ChannelFull> {
        burst::hand_on_held();
        let mut messages = lock(&self.queue.messages);
        if messages.len() >= CAPACITY {
            return Err(ChannelFull(self.name.clone()));
        }
        messages.push_back(Box::new(message));
        drop(messages);
        self.queue.arrived.notify_one();
        Ok(())
    }

    /// The next message, when there is one. A receive that is given up takes none.
    pub async fn receive(&self) -> E {
        loop {
            let arrived = self.queue.arrived.notified();
            if let Some(message) = self.take() {
                return message;
            }
            arrived.await;
        }
    }

    fn take(&self) -> Option<E> {
        let mut messages = lock(&self.queue.messages);
        let message = messages.pop_front()?;
        if !messages.is_empty() {
            self.queue.arrived.notify_one();
        }
        match message.downcast() {
            Ok(message) => Some(*message),
            Err(_) => {
                tracing::error!(channel = %self.name, "A message has another type than its receiver's and is dropped");
                None
            }
        }
    }
}

impl<E> Clone for NamedChannel<E> {
    fn clone(&self) -> Self {
        let (layer, name, queue) = (self.layer.clone(), self.name.clone(), self.queue.clone());
        queue.handles.fetch_add(1, Ordering::Relaxed);
        Self { layer, name, queue, message: PhantomData }
    }
}

/// With the last handle an empty channel goes, too.
impl<E> Drop for NamedChannel<E> {
    fn drop(&mut self) {
        let mut registry = lock(self.layer.named());
        if self.queue.handles.fetch_sub(1, Ordering::Relaxed) == 1 && lock(&self.queue.messages).is_empty() {
            registry.remove(&self.name);
        }
    }
}

impl<E> fmt::Debug for NamedChannel<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NamedChannel({})", self.name)
    }
}

// A panic while a lock was held leaves a queue that is still one.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
