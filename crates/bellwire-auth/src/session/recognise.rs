//! Looking up a session by the cookies of a request.

use axum::http::HeaderMap;
use bellwire_web::db::Tx;

use super::Sessions;
use super::request::{Former, RequestSession};
use super::table::{self, Found};
use super::token::Token;
use crate::SiteError;

impl Sessions {
    /// The session named by the cookies in these headers, found in one query. Of several sessions,
    /// a signed-in one wins, otherwise the first.
    ///
    /// # Errors
    /// If the database fails.
    pub(crate) async fn recognise(&self, headers: &HeaderMap) -> Result<RequestSession, SiteError> {
        let (tokens, former) = (self.tokens(headers), self.former_tokens(headers));
        if tokens.is_empty() && former.is_empty() {
            return Ok(RequestSession::new(self, None, None));
        }
        let now = self.inner.clock.date();
        let hashes = tokens.iter().chain(&former).map(Token::hash).collect();
        let rows = table::find(self.inner.db.read(), hashes, now).await?;
        let row = |token: &Token| rows.iter().find(|row| row.token_hash == token.hash());
        let found = tokens.iter().filter_map(row).min_by_key(|row| row.user_id.is_none());
        let former = former.into_iter().find_map(|token| {
            let row = row(&token).filter(|row| row.user_id.is_none())?;
            Some((row, Former { id: row.id, token }))
        });
        let found = found.or(former.as_ref().map(|(row, _)| *row)).cloned();
        if let Some(found) = found.as_ref().filter(|found| found.last_seen_at < now - table::TOUCH)
        {
            self.touch(found);
        }
        Ok(RequestSession::new(self, found, former.map(|(_, former)| former)))
    }

    /// Whether a session is still valid. One indexed query.
    ///
    /// # Errors
    /// If the database fails.
    pub(crate) async fn is_valid(&self, session: i64) -> Result<bool, SiteError> {
        Ok(table::is_valid(self.inner.db.read(), session, self.inner.clock.date()).await?)
    }

    /// Updates `last_seen_at` in the background, so that the request does not wait for it.
    fn touch(&self, found: &Found) {
        let (db, now, session) = (self.inner.db.clone(), self.inner.clock.date(), found.id);
        tokio::spawn(async move {
            let touched = db.write(async move |tx: Tx| {
                Ok::<_, SiteError>(table::touch(&tx, session, now).await?)
            });
            if let Err(error) = touched.await {
                tracing::warn!(session, %error, "Could not record that a session was used");
            }
        });
    }
}
