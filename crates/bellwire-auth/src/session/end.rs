//! The end of sessions: their rows go with their data, and their sockets close in every process.

use bellwire_web::bellwire::Close;
use bellwire_web::db::Tx;

use super::ended::{self, EndReason};
use super::request::RequestSession;
use super::table::{self, SessionFilter};
use super::{Sessions, session_key};
use crate::SiteError;

impl Sessions {
    /// Ends sessions in a transaction; when it has committed, their sockets are closed. Returns how
    /// many there were.
    pub(crate) async fn end(
        &self,
        tx: &Tx,
        which: SessionFilter,
        why: EndReason,
    ) -> Result<usize, sea_orm::DbErr> {
        ended::take_turn(tx).await?;
        let ended = table::remove(tx, which).await?;
        let number = ended.len();
        if number > 0 {
            ended::note(tx, &ended, why, self.inner.clock.date()).await?;
            let sessions = self.clone();
            tx.on_commit(move || {
                ended.iter().for_each(|session| sessions.close_sockets(*session, why.close()))
            });
        }
        Ok(number)
    }

    /// Ends sessions, in a transaction of its own.
    pub(crate) async fn end_now(
        &self,
        which: SessionFilter,
        why: EndReason,
    ) -> Result<usize, SiteError> {
        let sessions = self.clone();
        self.inner.db.write(async move |tx: Tx| Ok(sessions.end(&tx, which, why).await?)).await
    }

    /// Ends the session of a request, and the one that its former cookie names.
    pub(crate) async fn sign_out(&self, request: &RequestSession) -> Result<(), SiteError> {
        let own: Vec<_> = request.id().into_iter().chain(request.former_id()).collect();
        if !own.is_empty() {
            self.end_now(SessionFilter::These(own), EndReason::SignedOut).await?;
        }
        if request.former_id().is_some() {
            request.set_cookie(self.no_former_cookie()?);
        }
        Ok(())
    }

    pub(super) async fn end_expired(&self) -> Result<(), SiteError> {
        let now = self.inner.clock.date();
        if table::any_expired(self.inner.db.read(), now).await? {
            self.end_now(SessionFilter::Expired(now), EndReason::Expired).await?;
            self.end_now(SessionFilter::ExpiredAnonymous(now), EndReason::Dropped).await?;
        }
        Ok(())
    }

    /// Closes the sockets that a session has in this process.
    pub(super) fn close_sockets(&self, session: i64, close: Close) {
        self.inner.bellwire.layer().kick_session(&session_key(session), close);
    }
}
