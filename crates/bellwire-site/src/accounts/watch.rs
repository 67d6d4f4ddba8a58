//! Sees to it that access ends everywhere: sessions that another process ended, and sessions that expired.

use std::time::Duration;

use bellwire_db::{DbError, Tx};
use tokio::time::{MissedTickBehavior, interval};

use super::Accounts;
use super::ended::{self, Why};
use super::sessions::{self, Which};
use super::viewer::session_key;
use crate::SiteError;

/// How often a process looks which sessions ended. One indexed query that mostly finds nothing.
const LOOK: Duration = Duration::from_millis(250);

/// How often sessions that expired are ended, in looks.
const EXPIRY: u32 = 4;

/// A process's place in the table of ended sessions.
#[derive(Debug)]
pub(crate) struct Watch {
    accounts: Accounts,
    /// The last number that was seen.
    last: i64,
}

impl Watch {
    /// Begins before the first socket opens: what ended earlier is refused when it connects.
    pub(crate) async fn begin(accounts: &Accounts) -> Result<Self, DbError> {
        let last = ended::last(accounts.inner.db.read()).await?;
        Ok(Self { accounts: accounts.clone(), last })
    }

    /// Watches until it is dropped.
    pub(crate) async fn run(mut self) {
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
        for ended in ended::after(self.accounts.inner.db.read(), self.last).await? {
            self.accounts.close_sockets(ended.session_id, ended.close());
            self.last = ended.id;
        }
        if expire { self.accounts.end_expired().await } else { Ok(()) }
    }
}

impl Accounts {
    /// Ends sessions in a transaction; when it has committed, their sockets are closed. Returns how many there were.
    pub(super) async fn end(&self, tx: &Tx, which: Which, why: Why) -> Result<usize, sea_orm::DbErr> {
        ended::take_turn(tx).await?;
        let ended = sessions::end(tx, which).await?;
        let number = ended.len();
        if number > 0 {
            ended::note(tx, &ended, why, self.inner.clock.date()).await?;
            let accounts = self.clone();
            tx.on_commit(move || {
                ended.iter().for_each(|session| accounts.close_sockets(*session, why.close()))
            });
        }
        Ok(number)
    }

    /// Ends sessions, in a transaction of its own.
    pub(super) async fn end_now(&self, which: Which, why: Why) -> Result<usize, SiteError> {
        let accounts = self.clone();
        self.inner.db.write(async move |tx: Tx| Ok(accounts.end(&tx, which, why).await?)).await
    }

    async fn end_expired(&self) -> Result<(), SiteError> {
        let now = self.inner.clock.date();
        if sessions::any_expired(self.inner.db.read(), now).await? {
            self.end_now(Which::Expired(now), Why::Expired).await?;
        }
        Ok(())
    }

    /// Closes the sockets that a session has in this process.
    fn close_sockets(&self, session: i64, close: bellwire::Close) {
        self.inner.bellwire.layer().kick_session(&session_key(session), close);
    }
}
