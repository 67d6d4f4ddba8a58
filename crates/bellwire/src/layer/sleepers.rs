//! Who is to be woken by a send.

use std::task::Waker;

use crate::sync::soon;

/// Loops that slept when mail came for them. Dropping it wakes them, so nobody is forgotten.
#[derive(Default)]
pub(crate) struct Sleepers(pub(super) Vec<Waker>);

impl Sleepers {
    /// Wakes them after whoever can be read has been read: what is said in that time leaves with the same writes. A burst of four
    /// messages to a thousand members is a thousand writes, not two thousand.
    pub(super) fn wake_together(self) {
        if !self.0.is_empty() {
            soon(move || drop(self));
        }
    }
}

impl Drop for Sleepers {
    fn drop(&mut self) {
        self.0.drain(..).for_each(Waker::wake);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Wake;

    use tokio::task::yield_now;

    use super::*;

    #[derive(Default)]
    struct Woken(AtomicUsize);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    impl Woken {
        fn times(&self) -> usize {
            self.0.load(Ordering::SeqCst)
        }
    }

    fn sleeper(woken: &Arc<Woken>) -> Sleepers {
        Sleepers(vec![Waker::from(woken.clone())])
    }

    #[test]
    fn without_a_runtime_they_are_awake_at_once() {
        let woken = Arc::<Woken>::default();
        sleeper(&woken).wake_together();
        assert_eq!(woken.times(), 1);
    }

    #[tokio::test]
    async fn whoever_was_about_to_speak_speaks_before_they_are_awake() {
        let woken = Arc::<Woken>::default();
        let next = tokio::spawn({
            let woken = woken.clone();
            async move { woken.times() }
        });
        sleeper(&woken).wake_together();
        assert_eq!(next.await.unwrap(), 0);
        // Each turn of the runtime brings the wake nearer; it takes a few.
        for _ in 0..1_000 {
            if woken.times() == 0 {
                yield_now().await;
            }
        }
        assert_eq!(woken.times(), 1);
    }

    #[test]
    fn a_runtime_that_ends_first_leaves_nobody_asleep() {
        let woken = Arc::<Woken>::default();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async { sleeper(&woken).wake_together() });
        drop(runtime);
        assert_eq!(woken.times(), 1);
    }
}
