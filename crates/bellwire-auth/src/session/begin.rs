//! Beginning a session, and moving existing data into it.

use std::net::IpAddr;

use bellwire_web::db::Tx;

use super::device::Device;
use super::ended::{self, EndReason};
use super::request::{Former, RequestSession};
use super::table::{self, SessionFilter};
use super::token::Token;
use super::{Sessions, data};
use crate::SiteError;

/// The maximum number of anonymous sessions per address. Beyond it the least recently used session
/// is evicted, sessions without data first.
const PER_ADDRESS: u64 = 500;

/// The sessions that a browser has when it signs in. They end, and their data moves into the new
/// one.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct PreviousSessions {
    session: Option<i64>,
    /// The session named by the former cookie.
    former: Option<i64>,
}

impl PreviousSessions {
    pub(crate) fn of(request: &RequestSession) -> Self {
        Self { session: request.id(), former: request.former_id() }
    }
}

/// The values of a person's new session.
#[derive(Debug)]
pub(crate) struct NewSession<'a> {
    pub(crate) user_id: i64,
    pub(crate) token: &'a Token,
    pub(crate) device: Device,
}

impl Sessions {
    /// Begins a person's session in a transaction. The browser's previous sessions end, so that a
    /// token that somebody else planted or saw is useless after the sign-in (session fixation).
    /// Data moves into the new session from anonymous sessions and from the same person's, but not
    /// from another person's.
    pub(crate) async fn begin(
        &self,
        tx: &Tx,
        new: NewSession<'_>,
        previous: PreviousSessions,
    ) -> Result<(), SiteError> {
        ended::lock(tx).await?;
        let data = self.take_data(tx, previous, new.user_id).await?;
        self.insert(tx, new, data).await
    }

    /// Replaces a person's session after a password change. If the old session has ended in the
    /// meantime, no new one begins. Returns whether one did.
    pub(crate) async fn renew(
        &self,
        tx: &Tx,
        new: NewSession<'_>,
        session: i64,
    ) -> Result<bool, SiteError> {
        ended::lock(tx).await?;
        let user_id = new.user_id;
        let row = table::lock(tx, session).await?;
        let ended =
            self.end(tx, SessionFilter::Own { user_id, session }, EndReason::Renewed).await?;
        let (Some(row), 1) = (row, ended) else { return Ok(false) };
        self.insert(tx, new, row.data).await?;
        Ok(true)
    }

    async fn insert(&self, tx: &Tx, new: NewSession<'_>, data: String) -> Result<(), SiteError> {
        let NewSession { user_id, token, device } = new;
        let now = self.inner.clock.date();
        table::insert(tx, Some(user_id), token.hash(), device, data, now).await?;
        Ok(())
    }

    /// Ends the sessions of a browser that signs in. Returns their data if it is anonymous or this
    /// person's.
    async fn take_data(
        &self,
        tx: &Tx,
        previous: PreviousSessions,
        user_id: i64,
    ) -> Result<String, SiteError> {
        let PreviousSessions { session, former } = previous;
        let former = former.filter(|former| session != Some(*former));
        let (mut kept, mut is_own) = (String::new(), true);
        if let Some(session) = session {
            let row = table::lock(tx, session).await?;
            // If the row is gone, it may have been another person's.
            is_own =
                row.as_ref().is_some_and(|row| row.user_id.is_none_or(|owner| owner == user_id));
            let is_anonymous = row.as_ref().is_some_and(|row| row.user_id.is_none());
            kept = row.filter(|_| is_own).map(|row| row.data).unwrap_or_default();
            let reason = if is_anonymous { EndReason::Renewed } else { EndReason::SignedOut };
            self.end(tx, SessionFilter::One(session), reason).await?;
        }
        if let Some(former) = former {
            let row = table::lock(tx, former).await?.filter(|_| is_own);
            kept = data::merged(kept, &row.map(|row| row.data).unwrap_or_default())?;
            self.end(tx, SessionFilter::One(former), EndReason::Renewed).await?;
        }
        Ok(kept)
    }

    /// The session of a request; begins one if there is none. `None` if this address exceeds its
    /// quota of new sessions.
    pub(super) async fn begin_for(
        &self,
        request: &RequestSession,
        from: IpAddr,
    ) -> Result<Option<i64>, SiteError> {
        let (found, former) = (request.id(), request.former.as_ref());
        if let (Some(session), Some(former)) = (found, former) {
            self.replace_former(request, session, former).await?;
        }
        if found.is_some() {
            return Ok(found);
        }
        if self.inner.new_sessions.take(&from).is_err() {
            return Ok(None);
        }
        let token = Token::random().map_err(SiteError::internal)?;
        let cookie = self.cookie(&token)?;
        let session = self.create_anonymous(token, from).await?;
        request.set_cookie(cookie);
        Ok(Some(session))
    }

    /// Creates an anonymous session, evicting others of the same address if there are too many.
    async fn create_anonymous(&self, token: Token, from: IpAddr) -> Result<i64, SiteError> {
        let (sessions, address) = (self.clone(), from.to_string());
        let created = self.inner.db.write(async move |tx: Tx| {
            sessions.evict_surplus(&tx, &address).await?;
            let (device, now) =
                (Device { user_agent: String::new(), address }, sessions.inner.clock.date());
            Ok::<_, SiteError>(
                table::insert(&tx, None, token.hash(), device, String::new(), now).await?,
            )
        });
        created.await
    }

    async fn evict_surplus(&self, tx: &Tx, address: &str) -> Result<(), SiteError> {
        let surplus = (table::count_anonymous(tx, address).await? + 1).saturating_sub(PER_ADDRESS);
        if surplus > 0 {
            ended::lock(tx).await?;
            let evicted = table::to_evict(tx, address, surplus).await?;
            self.end(tx, SessionFilter::These(evicted), EndReason::Dropped).await?;
        }
        Ok(())
    }

    /// Replaces the former cookie with the session cookie. If the former cookie names another
    /// session, its data moves into this one.
    async fn replace_former(
        &self,
        request: &RequestSession,
        session: i64,
        former: &Former,
    ) -> Result<(), SiteError> {
        if session == former.id {
            request.set_cookie(self.cookie(&former.token)?);
        } else {
            let (sessions, former) = (self.clone(), former.id);
            let moved = async move |tx: Tx| sessions.move_data(&tx, former, session).await;
            self.inner.db.write(moved).await?;
        }
        request.set_cookie(self.no_former_cookie()?);
        Ok(())
    }

    async fn move_data(&self, tx: &Tx, former: i64, session: i64) -> Result<(), SiteError> {
        ended::lock(tx).await?;
        let (from, to) = (table::lock(tx, former).await?, table::lock(tx, session).await?);
        if let (Some(from), Some(to)) = (from, to) {
            let data = data::merged(to.data, &from.data)?;
            table::store(tx, session, data, self.inner.clock.date()).await?;
            self.end(tx, SessionFilter::One(former), EndReason::Renewed).await?;
        }
        Ok(())
    }
}
