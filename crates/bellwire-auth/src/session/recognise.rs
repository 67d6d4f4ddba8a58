//! Recognising a browser by its cookies.

use axum::http::HeaderMap;
use bellwire_web::db::Tx;

use super::Sessions;
use super::request::{Former, RequestSession};
use super::table::{self, Found};
use super::token::Token;
use crate::SiteError;

impl Sessions {
    /// The session that the cookies among these headers name, in one query. Of several, one that is
    /// signed in counts, and else the first.
    ///
    /// # Errors
    /// When the database cannot say.
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

    /// Whether a session still counts. One indexed query.
    ///
    /// # Errors
    /// When the database cannot say.
    pub(crate) async fn counts(&self, session: i64) -> Result<bool, SiteError> {
        Ok(table::counts(self.inner.db.read(), session, self.inner.clock.date()).await?)
    }

    /// Beside the request, which need not wait for it.
    fn touch(&self, found: &Found) {
        let (db, now, session) = (self.inner.db.clone(), self.inner.clock.date(), found.id);
        tokio::spawn(async move {
            let touched = db.write(async move |tx: Tx| {
                Ok::<_, SiteError>(table::touch(&tx, session, now).await?)
            });
            if let Err(error) = touched.await {
                tracing::warn!(session, %error, "Could not note that a session was used");
            }
        });
    }
}
