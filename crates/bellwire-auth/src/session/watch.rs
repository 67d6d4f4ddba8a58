//! Background task that closes the sockets of sessions ended by other processes, and ends expired
//! sessions.

use std::time::Duration;

use bellwire_web::db::DbError;
use tokio::time::{MissedTickBehavior, interval};

use super::{Sessions, ended};
use crate::SiteError;

/// The interval at which a process polls for ended sessions. One indexed query that mostly finds
/// nothing.
const POLL_INTERVAL: Duration = Duration::from_millis(250);

/// Expired sessions are ended at every fourth poll.
const POLLS_PER_EXPIRY: u32 = 4;

/// A process's position in the table of ended sessions.
#[derive(Debug)]
pub struct Watch {
    sessions: Sessions,
    /// The id of the last record that was handled.
    last: i64,
}

impl Watch {
    /// Starts at the latest record. Call it before the first socket opens; sessions that ended
    /// earlier are refused when they connect.
    pub(crate) async fn begin(sessions: &Sessions) -> Result<Self, DbError> {
        let last = ended::last(sessions.inner.db.read()).await?;
        Ok(Self { sessions: sessions.clone(), last })
    }

    /// Polls until the future is dropped.
    pub async fn run(mut self) {
        let mut ticks = interval(POLL_INTERVAL);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut failing = false;
        for number in 0u32.. {
            ticks.tick().await;
            let polled = self.poll(number % POLLS_PER_EXPIRY == 0).await;
            if let Err(error) = &polled
                && !failing
            {
                tracing::warn!(
                    %error,
                    "Cannot read which sessions ended; their sockets stay open until the database \
                     answers again"
                );
            }
            failing = polled.is_err();
        }
    }

    async fn poll(&mut self, expire: bool) -> Result<(), SiteError> {
        for ended in ended::after(self.sessions.inner.db.read(), self.last).await? {
            self.sessions.close_sockets(ended.session_id, ended.close());
            self.last = ended.id;
        }
        if expire { self.sessions.end_expired().await } else { Ok(()) }
    }
}
