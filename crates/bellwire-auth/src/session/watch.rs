//! Sees to it that access ends everywhere: sessions that another process ended, and sessions that
//! expired.

use std::time::Duration;

use bellwire_web::db::DbError;
use tokio::time::{MissedTickBehavior, interval};

use super::{Sessions, ended};
use crate::SiteError;

/// How often a process looks which sessions ended. One indexed query that mostly finds nothing.
const LOOK: Duration = Duration::from_millis(250);

/// How often sessions that expired are ended, in looks.
const EXPIRY: u32 = 4;

/// A process's place in the table of ended sessions.
#[derive(Debug)]
pub struct Watch {
    sessions: Sessions,
    /// The last number that was seen.
    last: i64,
}

impl Watch {
    /// Begins before the first socket opens: what ended earlier is refused when it connects.
    pub(crate) async fn begin(sessions: &Sessions) -> Result<Self, DbError> {
        let last = ended::last(sessions.inner.db.read()).await?;
        Ok(Self { sessions: sessions.clone(), last })
    }

    /// Watches until it is dropped.
    pub async fn run(mut self) {
        let mut looks = interval(LOOK);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut failing = false;
        for look in 0u32.. {
            looks.tick().await;
            let looked = self.look(look % EXPIRY == 0).await;
            if let Err(error) = &looked
                && !failing
            {
                tracing::warn!(%error, "Cannot see which sessions ended; their sockets stay open until this works again");
            }
            failing = looked.is_err();
        }
    }

    async fn look(&mut self, expire: bool) -> Result<(), SiteError> {
        for ended in ended::after(self.sessions.inner.db.read(), self.last).await? {
            self.sessions.close_sockets(ended.session_id, ended.close());
            self.last = ended.id;
        }
        if expire { self.sessions.end_expired().await } else { Ok(()) }
    }
}
