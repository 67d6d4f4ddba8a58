//! The beginning of a session, and the data that moves into it.

use std::net::IpAddr;

use bellwire_web::db::Tx;

use super::device::Device;
use super::ended::{self, Why};
use super::request::{Former, RequestSession};
use super::table::{self, Which};
use super::token::Token;
use super::{Sessions, data};
use crate::SiteError;

/// How many anonymous sessions of one address are kept. Beyond it that one goes which was not used for longest, those without data first.
const PER_ADDRESS: u64 = 500;

/// The sessions that a browser has when it signs in. They end, and their data moves.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Old {
    session: Option<i64>,
    /// The one that the former cookie names.
    former: Option<i64>,
}

impl Old {
    pub(crate) fn of(request: &RequestSession) -> Self {
        Self { session: request.id(), former: request.former_id() }
    }
}

/// A session of a person that is to begin.
#[derive(Debug)]
pub(crate) struct NewSession<'a> {
    pub(crate) user_id: i64,
    pub(crate) token: &'a Token,
    pub(crate) device: Device,
}

impl Sessions {
    /// Begins the session of a person in a transaction. Those that this browser had before are over: a token that somebody else
    /// may have planted or seen is worth nothing after signing in. The data of an anonymous session and of the same person's
    /// moves into the new one; that of another person does not.
    pub(crate) async fn begin(&self, tx: &Tx, new: NewSession<'_>, old: Old) -> Result<(), SiteError> {
        ended::take_turn(tx).await?;
        let data = self.take_data(tx, old, new.user_id).await?;
        self.insert(tx, new, data).await
    }

    /// Begins the session of a person who goes on after a new password, and ends the old one. Nothing begins where that has ended
    /// meanwhile: it does not come back this way. Returns whether it has begun.
    pub(crate) async fn renew(&self, tx: &Tx, new: NewSession<'_>, session: i64) -> Result<bool, SiteError> {
        ended::take_turn(tx).await?;
        let user_id = new.user_id;
        let row = table::lock(tx, session).await?;
        let ended = self.end(tx, Which::Own { user_id, session }, Why::Renewed).await?;
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

    /// Ends the sessions of a browser that signs in, and returns their data as far as it is this person's.
    async fn take_data(&self, tx: &Tx, old: Old, user_id: i64) -> Result<String, SiteError> {
        let Old { session, former } = old;
        let former = former.filter(|former| session != Some(*former));
        let (mut kept, mut is_own) = (String::new(), true);
        if let Some(session) = session {
            let row = table::lock(tx, session).await?;
            // One that has ended meanwhile was perhaps somebody else's.
            is_own = row.as_ref().is_some_and(|row| row.user_id.is_none_or(|owner| owner == user_id));
            let is_anonymous = row.as_ref().is_some_and(|row| row.user_id.is_none());
            kept = row.filter(|_| is_own).map(|row| row.data).unwrap_or_default();
            let why = if is_anonymous { Why::Renewed } else { Why::SignedOut };
            self.end(tx, Which::One(session), why).await?;
        }
        if let Some(former) = former {
            let row = table::lock(tx, former).await?.filter(|_| is_own);
            kept = data::joined(kept, &row.map(|row| row.data).unwrap_or_default())?;
            self.end(tx, Which::One(former), Why::Renewed).await?;
        }
        Ok(kept)
    }

    /// The session of a request, begun if there is none; nothing if too many begin from this address.
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
        if self.inner.made.take(&from).is_err() {
            return Ok(None);
        }
        let token = Token::random().map_err(SiteError::internal)?;
        let cookie = self.cookie(&token)?;
        let session = self.make(token, from).await?;
        request.set_cookie(cookie);
        Ok(Some(session))
    }

    /// Makes an anonymous session, and room for it.
    async fn make(&self, token: Token, from: IpAddr) -> Result<i64, SiteError> {
        let (sessions, address) = (self.clone(), from.to_string());
        let made = self.inner.db.write(async move |tx: Tx| {
            sessions.make_room(&tx, &address).await?;
            let (device, now) = (Device { user_agent: String::new(), address }, sessions.inner.clock.date());
            Ok::<_, SiteError>(table::insert(&tx, None, token.hash(), device, String::new(), now).await?)
        });
        made.await
    }

    async fn make_room(&self, tx: &Tx, address: &str) -> Result<(), SiteError> {
        let surplus = (table::anonymous_of(tx, address).await? + 1).saturating_sub(PER_ADDRESS);
        if surplus > 0 {
            ended::take_turn(tx).await?;
            let goes = table::first_to_go(tx, address, surplus).await?;
            self.end(tx, Which::These(goes), Why::Dropped).await?;
        }
        Ok(())
    }

    /// Has the browser name its session by the session cookie alone. The data of a session beside it, which only the former cookie
    /// names, moves into it.
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
        ended::take_turn(tx).await?;
        let (from, to) = (table::lock(tx, former).await?, table::lock(tx, session).await?);
        if let (Some(from), Some(to)) = (from, to) {
            let data = data::joined(to.data, &from.data)?;
            table::store(tx, session, data, self.inner.clock.date()).await?;
            self.end(tx, Which::One(former), Why::Renewed).await?;
        }
        Ok(())
    }
}
