//! Who is to be written to after a send.

use crate::outbound::Channel;
use crate::sync::{Arc, defer};

/// How many sockets one task writes to: tokio lets a task do 128 things before it is another one's
/// turn.
const AT_ONCE: usize = 64;
/// So many are not looked at before they are written to: it costs more than it gains.
const FEW: usize = 16;

/// Sockets for which mail came. Dropping it wakes their loops, so nobody is forgotten.
#[derive(Default)]
pub(crate) struct FlushList(Vec<Arc<Channel>>);

impl FlushList {
    pub(super) fn add(&mut self, channel: &Arc<Channel>) {
        if self.0.is_empty() {
            self.0.reserve(AT_ONCE);
        }
        self.0.push(channel.clone());
    }

    /// Writes to them after whoever can be read has been read: what is said in that time leaves
    /// with the same writes. A burst of four messages to a thousand members is a thousand writes,
    /// not two thousand.
    pub(crate) fn flush_soon(mut self) {
        while self.0.len() > AT_ONCE {
            let some = Self(self.0.split_off(self.0.len() - AT_ONCE));
            defer(|| some.write());
        }
        if !self.0.is_empty() {
            defer(|| self.write());
        }
    }

    fn write(mut self) {
        // All of many are asked before one is written to: their memory comes side by side then, and
        // not after one system call each.
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

    /// A socket whose loop waits for mail and has to be woken for it.
    fn sleeper(woken: &Arc<CountingWaker>) -> FlushList {
        let name = ChannelName { process: 1, number: 1 };
        let channel = Arc::new(Channel::new(name, &Scope::new("/", ""), &Limits::default(), 0));
        let waker = Waker::from(woken.clone());
        channel.queue.poll_next(&mut Context::from_waker(&waker), |_| Handled::Done);
        FlushList(vec![channel])
    }

    #[test]
    fn without_a_runtime_they_are_awake_at_once() {
        let woken = Arc::<CountingWaker>::default();
        sleeper(&woken).flush_soon();
        assert_eq!(woken.count(), 1);
    }

    #[tokio::test]
    async fn whoever_was_about_to_speak_speaks_before_it_is_their_turn() {
        let woken = Arc::<CountingWaker>::default();
        let next = tokio::spawn({
            let woken = woken.clone();
            async move { woken.count() }
        });
        sleeper(&woken).flush_soon();
        assert_eq!(next.await.unwrap(), 0);
        // Each turn of the runtime brings theirs nearer; it takes a few.
        for _ in 0..1_000 {
            if woken.count() == 0 {
                yield_now().await;
            }
        }
        assert_eq!(woken.count(), 1);
    }

    #[test]
    fn a_runtime_that_ends_first_leaves_nobody_asleep() {
        let woken = Arc::<CountingWaker>::default();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async { sleeper(&woken).flush_soon() });
        drop(runtime);
        assert_eq!(woken.count(), 1);
    }
}
