//! One clock for all connections: who is silent is asked, who stays silent or never reads is let
//! go, and who left is no longer present.

use std::time::Duration;

use crate::outbound::Channel;
use crate::{Bellwire, Close, Limits};

/// How often the keeper looks. Times in [`Limits`] are kept to within this.
const INTERVAL: Duration = Duration::from_secs(1);

/// Starts the keeper. It ends with the last handle to `bellwire`.
pub(crate) fn start(bellwire: &Bellwire) {
    let bellwire = bellwire.downgrade();
    tokio::spawn(async move {
        let mut rounds = tokio::time::interval(INTERVAL);
        rounds.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            rounds.tick().await;
            let Some(bellwire) = bellwire() else { return };
            let (now, limits) = (bellwire.now(), bellwire.limits());
            bellwire.layer().presence().sweep(now, millis(limits.presence_grace));
            bellwire.layer().channels().iter().for_each(|channel| check(channel, limits, now));
        }
    });
}

fn check(channel: &Channel, limits: &Limits, now: u64) {
    let round = millis(INTERVAL);
    let silent = now.saturating_sub(channel.last_seen());
    if channel
        .write_blocked_since()
        .is_some_and(|since| now.saturating_sub(since) > millis(limits.write))
    {
        channel.queue.close(Close::new(Close::TRY_AGAIN, "too slow to read"));
    } else if silent > millis(limits.idle) {
        channel.queue.close(Close::new(Close::TRY_AGAIN, "nothing heard for too long"));
    } else if silent > millis(limits.ping) && silent % millis(limits.ping) <= round {
        channel.queue.ping();
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX).max(1)
}
