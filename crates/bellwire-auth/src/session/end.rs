//! Ending sessions: deletes their rows with the data, and closes their sockets in every process.

use bellwire_web::bellwire::Close;
use bellwire_web::db::Tx;

use super::ended::{self, EndReason};
use super::request::RequestSession;
use super::table::{self, SessionFilter};
use super::{Sessions, session_key};
use crate::SiteError;

impl Sessions {
    /// Ends sessions in a transaction, and closes their sockets after it has committed. Returns how
    /// many there were.
    pub(crate) async fn end(
        &self,
        tx: &Tx,
        filter: SessionFilter,
        reason: EndReason,
    ) -> Result<usize, sea_orm::DbErr> {
        ended::lock(tx).await?;
        let ended = table::remove(tx, filter).await?;
        let number = ended.len();
        if number > 0 {
            ended::record(tx, &ended, reason, self.inner.clock.date()).await?;
            let sessions = self.clone();
            tx.on_commit(move || {
                ended.iter().for_each(|session| sessions.close_sockets(*session, reason.close()))
            });
        }
        Ok(number)
    }

    /// Ends sessions in a new transaction.
    pub(crate) async fn end_now(
        &self,
        filter: SessionFilter,
        reason: EndReason,
    ) -> Result<usize, SiteError> {
        let sessions = self.clone();
        self.inner.db.write(async move |tx: Tx| Ok(sessions.end(&tx, filter, reason).await?)).await
    }

    /// Ends the session of a request, and the session named by its former cookie.
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

    /// Closes the session's sockets in this process.
    pub(super) fn close_sockets(&self, session: i64, close: Close) {
        self.inner.bellwire.layer().kick_session(&session_key(session), close);
    }
}
