//! How fast one socket may ask.

use tokio::time::Instant;

use crate::Limits;

/// Pings and pongs a second that anybody may send on average.
const HEARTBEATS_PER_SECOND: u32 = 10;

/// A token bucket: so many actions a second on average, so many at once.
pub(crate) struct Pace {
    /// Actions a second; `None` is no limit.
    rate: Option<f32>,
    burst: f32,
    tokens: f32,
    refilled: Instant,
}

/// What becomes of one more action.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Fine,
    /// Not carried out, and told so.
    TooFast,
    /// Went on although told: the socket closes.
    Enough,
}

impl Pace {
    /// The pace of what a browser asks.
    pub(crate) fn of_actions(limits: &Limits) -> Self {
        Self::new(limits.actions_per_second, limits.action_burst)
    }

    /// The pace of pings and pongs; as many at once as actions.
    pub(crate) fn of_heartbeats(limits: &Limits) -> Self {
        Self::new(limits.actions_per_second.map(|_| HEARTBEATS_PER_SECOND), limits.action_burst)
    }

    fn new(rate: Option<u32>, burst: u32) -> Self {
        #[allow(clippy::cast_precision_loss, reason = "a rate needs no more than 24 bits")]
        let (rate, burst) = (rate.map(|rate| rate as f32), burst.max(1) as f32);
        Self { rate, burst, tokens: burst, refilled: Instant::now() }
    }

    pub(crate) fn verdict(&mut self) -> Verdict {
        let Some(rate) = self.rate else { return Verdict::Fine };
        let now = Instant::now();
        let refill = (now - self.refilled).as_secs_f32() * rate;
        self.refilled = now;
        self.tokens = (self.tokens + refill).min(self.burst) - 1.0;
        match self.tokens {
            tokens if tokens >= 0.0 => Verdict::Fine,
            tokens if tokens >= -rate => Verdict::TooFast,
            _ => Verdict::Enough,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_burst_passes_then_the_rate_counts_and_who_goes_on_is_closed() {
        let limits = Limits { actions_per_second: Some(10), action_burst: 20, ..Limits::default() };
        let mut pace = Pace::of_actions(&limits);
        assert!((0..20).all(|_| pace.verdict() == Verdict::Fine));
        assert!((0..10).all(|_| pace.verdict() == Verdict::TooFast));
        assert_eq!(pace.verdict(), Verdict::Enough);
        tokio::time::advance(Duration::from_secs(3)).await;
        assert_eq!(pace.verdict(), Verdict::Fine);
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_rate_everything_is_fine() {
        let mut pace = Pace::of_actions(&Limits { actions_per_second: None, ..Limits::default() });
        assert!((0..10_000).all(|_| pace.verdict() == Verdict::Fine));
    }
}
