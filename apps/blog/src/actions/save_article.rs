//! Staff write an article, and save it anew.

use bellwire_site::accounts::users;
use bellwire_site::{SiteState, Tx, User};

use crate::BlogError;
use crate::models::Article;
use crate::models::article::{self, Saved};

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
    let by = by.id;
    site.db()
        .write(async move |tx: Tx| {
            staff(&tx, by).await?;
            // Whoever shows it stays with it: nothing is said below a draft, and when it is
            // published again they hear what is.
            Article::save(&tx, id, version, &saved).await
        })
        .await
}

/// The role may have been taken since the form was opened.
async fn staff(tx: &Tx, by: i64) -> Result<(), BlogError> {
    users::is_staff(tx, by).await?.then_some(()).ok_or(BlogError::NotStaff)
}
