//! Staff write an article, and save it anew.

use bellwire_site::accounts::users;
use bellwire_site::{SiteState, Tx, User};

use crate::models::Article;
use crate::models::article::{self, Saved, feed_of};
use crate::{BlogError, Event};

/// Writes a new article.
///
/// # Errors
/// That it is not for them to do, that another has its title, or why it could not be written.
pub(crate) async fn write_article(
    site: &SiteState,
    by: &User,
    saved: Saved,
) -> Result<article::Model, BlogError> {
    let by = by.id;
    site.db()
        .write(async move |tx: Tx| {
            staff(&tx, by).await?;
            Article::write(&tx, by, &saved).await
        })
        .await
}

/// Saves an article of which this `version` was edited.
///
/// # Errors
/// As [`write_article`], or that somebody else saved it meanwhile.
pub(crate) async fn save_article(
    site: &SiteState,
    by: &User,
    id: i64,
    version: i64,
    saved: Saved,
) -> Result<article::Model, BlogError> {
    let (by, layer) = (by.id, site.bellwire().layer().clone());
    site.db()
        .write(async move |tx: Tx| {
            staff(&tx, by).await?;
            let row = Article::save(&tx, id, version, &saved).await?;
            if row.published_at.is_none() {
                // Whoever reads it now hears nothing more of it.
                tx.on_commit(move || layer.group(feed_of(id)).send(Event::Withdrawn));
            }
            Ok(row)
        })
        .await
}

/// The role may have been taken since the form was opened.
async fn staff(tx: &Tx, by: i64) -> Result<(), BlogError> {
    users::is_staff(tx, by).await?.then_some(()).ok_or(BlogError::NotStaff)
}
