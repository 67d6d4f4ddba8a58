//! Sockets to flush after a send.

use crate::outbound::{Channel, Delivery};
use crate::sync::{Arc, defer};

/// The sockets that one task writes to: tokio's budget lets a task do 128 operations before it has
/// to yield.
const PER_TASK: usize = 64;
/// Up to this many sockets are not checked before they are written to: it costs more than it gains.
const FEW: usize = 16;

/// Sockets with new messages in their queues. Dropping the list wakes their event loops, so that no
/// socket is forgotten.
#[derive(Default)]
pub(crate) struct FlushList(Vec<Arc<Channel>>);

impl FlushList {
    /// Queues a delivery for a channel; returns `false` if its queue overflowed and was dropped.
    /// Adds the channel if it has to be flushed.
    pub(crate) fn deliver(&mut self, delivery: &Arc<Delivery>, channel: &Arc<Channel>) -> bool {
        let pushed = channel.queue.push(delivery);
        if pushed.first {
            if self.0.is_empty() {
                self.0.reserve(PER_TASK);
            }
            self.0.push(channel.clone());
        }
        pushed.fits
    }

    /// Flushes these sockets on the next scheduler tick, so that messages published in the meantime
    /// share one write. Four messages to a thousand members in quick succession take a thousand
    /// writes, not two thousand.
    pub(crate) fn flush_soon(mut self) {
        while self.0.len() > PER_TASK {
            let some = Self(self.0.split_off(self.0.len() - PER_TASK));
            defer(|| some.write());
        }
        if !self.0.is_empty() {
            defer(|| self.write());
        }
    }

    fn write(mut self) {
        // A long list is checked as a whole before the first write: memory accesses then overlap,
        // instead of each following a system call.
        if self.0.len() > FEW {
            self.0.retain(|channel| channel.can_write_or_wake());
        }
        while let Some(channel) = self.0.last() {
            channel.write_queued();
            self.0.pop();
        }
    }
}

impl Drop for FlushList {
    fn drop(&mut self) {
        self.0.drain(..).for_each(|channel| channel.queue.wake_loop());
    }
}

#[cfg(test)]
mod tests {
    use std::task::{Context, Waker};

    use tokio::task::yield_now;

    use super::*;
    use crate::outbound::{CountingWaker, Handled};
    use crate::{ChannelName, Limits, Scope};

    /// A list with one socket whose event loop waits for messages and has to be woken.
    fn idle_socket(woken: &Arc<CountingWaker>) -> FlushList {
        let name = ChannelName { process: 1, number: 1 };
        let channel = Arc::new(Channel::new(name, &Scope::new("/", ""), &Limits::default(), 0));
        let waker = Waker::from(woken.clone());
        channel.queue.poll_next(&mut Context::from_waker(&waker), |_| Handled::Done);
        FlushList(vec![channel])
    }

    #[test]
    fn without_a_runtime_event_loops_are_woken_immediately() {
        let woken = Arc::<CountingWaker>::default();
        idle_socket(&woken).flush_soon();
        assert_eq!(woken.count(), 1);
    }

    #[tokio::test]
    async fn tasks_that_are_ready_run_before_the_flush() {
        let woken = Arc::<CountingWaker>::default();
        let next = tokio::spawn({
            let woken = woken.clone();
            async move { woken.count() }
        });
        idle_socket(&woken).flush_soon();
        assert_eq!(next.await.unwrap(), 0);
        // The flush runs after a few scheduler ticks.
        for _ in 0..1_000 {
            if woken.count() == 0 {
                yield_now().await;
            }
        }
        assert_eq!(woken.count(), 1);
    }

    #[test]
    fn event_loops_are_woken_if_the_runtime_ends_first() {
        let woken = Arc::<CountingWaker>::default();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async { idle_socket(&woken).flush_soon() });
        drop(runtime);
        assert_eq!(woken.count(), 1);
    }
}
