//! Creates and updates articles. Requires the staff role.

use bellwire_site::accounts::users;
use bellwire_site::{SiteState, Tx, User};

use crate::BlogError;
use crate::models::Article;
use crate::models::article::{self, ArticleInput};

/// Creates an article.
///
/// # Errors
/// [`BlogError::NotStaff`], a title that is taken, or a database error.
pub(crate) async fn write_article(
    site: &SiteState,
    by: &User,
    input: ArticleInput,
) -> Result<article::Model, BlogError> {
    let by = by.id;
    site.db()
        .write(async move |tx: Tx| {
            require_staff(&tx, by).await?;
            Article::write(&tx, by, &input).await
        })
        .await
}

/// Updates an article. `version` is the version that was edited.
///
/// # Errors
/// As [`write_article`], or a conflict: someone else has saved a newer version.
pub(crate) async fn save_article(
    site: &SiteState,
    by: &User,
    id: i64,
    version: i64,
    input: ArticleInput,
) -> Result<article::Model, BlogError> {
    let by = by.id;
    site.db()
        .write(async move |tx: Tx| {
            require_staff(&tx, by).await?;
            // Readers stay subscribed when the article becomes a draft: a draft takes no
            // comments, and once it is published again they receive the new ones.
            Article::save(&tx, id, version, &input).await
        })
        .await
}

/// Checks the role in the transaction: it may have been revoked since the form was opened.
async fn require_staff(tx: &Tx, by: i64) -> Result<(), BlogError> {
    users::is_staff(tx, by).await?.then_some(()).ok_or(BlogError::NotStaff)
}
