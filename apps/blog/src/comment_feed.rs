//! The feed of an article's comments. A page that missed changes receives them from the comments
//! table.

use bellwire_site::bellwire::{CatchUp, Epochs, Error, Feed, FeedSource, NoEvents, Seq};
use bellwire_site::{FeedEpochs, Reader, SiteState};

use crate::BlogError;
use crate::fragments::{all_comments, changed_comment};
use crate::models::article::ARTICLE;
use crate::models::{Article, Comment};

/// The most comments on a page. Older ones are behind a link.
pub(crate) const SHOWN: u64 = 200;
/// The most changes sent one by one. A page that missed more receives its whole list.
const CATCH_UP: u64 = 200;

/// The numbered comments of an article.
pub(crate) type CommentFeed = Feed<NoEvents, Comments>;

/// The feed of the article with this id.
pub(crate) fn comment_feed(site: &SiteState, article: i64) -> CommentFeed {
    let comments = Comments { article, db: site.db().read().clone() };
    site.bellwire().layer().feed(ARTICLE.of(article), comments)
}

/// The stored comments of an article.
#[derive(Debug)]
pub(crate) struct Comments {
    article: i64,
    db: Reader,
}

impl Comments {
    /// The changes after number `since`, up to `now` or later. `None` if there are too many.
    async fn changes(&self, since: Seq, now: Seq) -> Result<Option<CatchUp>, BlogError> {
        let changed = Comment::changed_since(&self.db, self.article, since, CATCH_UP + 1).await?;
        if changed.len() as u64 > CATCH_UP {
            return Ok(None);
        }
        let patches = changed.iter().map(changed_comment).collect::<Result<_, _>>()?;
        Ok(Some(CatchUp { patches, seq: Comment::reached(&changed, now) }))
    }

    /// The whole list, as of number `now` or later.
    async fn list(&self, now: Seq) -> Result<CatchUp, BlogError> {
        let newest = Comment::newest(&self.db, self.article, None, SHOWN).await?;
        let patches = vec![all_comments(&newest)?];
        Ok(CatchUp { patches, seq: Comment::reached(&newest, now) })
    }
}

impl FeedSource for Comments {
    async fn catch_up(&self, since: Option<Seq>, _audience: &str) -> Result<CatchUp, Error> {
        // Read before the comments: they may be newer than the number, never older.
        let now = Article::current_seq(&self.db, self.article).await?;
        if let Some(since) = since
            && let Some(changes) = self.changes(since, now).await?
        {
            return Ok(changes);
        }
        Ok(self.list(now).await?)
    }

    async fn epochs(&self) -> Result<Epochs, Error> {
        Ok(FeedEpochs::of(&self.db, ARTICLE.of(self.article).name()).await?)
    }
}
