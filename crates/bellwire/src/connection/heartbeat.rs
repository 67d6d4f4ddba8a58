//! The heartbeat of all connections: pings silent ones, closes those that stay silent or never
//! read, and ends the presence of people who left and the state that has expired.

use std::time::Duration;

use crate::outbound::Channel;
use crate::{Bellwire, Close, Limits};

/// The interval of the heartbeat. Times in [`Limits`] are accurate to within this.
const INTERVAL: Duration = Duration::from_secs(1);

impl Bellwire {
    /// Starts the heartbeat task unless it is already running. It ends with the last handle.
    pub(crate) fn ensure_heartbeat(&self) {
        self.start_once(|| drop(tokio::spawn(run(self.downgrade()))));
    }
}

async fn run(bellwire: impl Fn() -> Option<Bellwire>) {
    let mut ticks = tokio::time::interval(INTERVAL);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let Some(bellwire) = bellwire() else { return };
        let (now, limits) = (bellwire.now(), bellwire.limits());
        bellwire.layer().presence().sweep(now, millis(limits.presence_grace));
        bellwire.layer().expire_states();
        #[cfg(feature = "metrics")]
        bellwire.write_figures();
        bellwire.layer().channels().iter().for_each(|channel| check(channel, limits, now));
    }
}

fn check(channel: &Channel, limits: &Limits, now: u64) {
    let interval = millis(INTERVAL);
    let silent = now.saturating_sub(channel.last_seen());
    if channel
        .write_blocked_since()
        .is_some_and(|since| now.saturating_sub(since) > millis(limits.write))
    {
        channel.queue.close(Close::new(Close::TRY_AGAIN, "too slow to read"));
    } else if silent > millis(limits.idle) {
        channel.queue.close(Close::new(Close::TRY_AGAIN, "no activity for too long"));
    } else if silent > millis(limits.ping) && silent % millis(limits.ping) <= interval {
        channel.queue.ping();
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX).max(1)
}
