//! The consumer of a window: one connection that moves between pages and follows the comment feed
//! of the article that is shown.

use axum::extract::State;
use axum::response::Response;
use bellwire_site::accounts::users;
use bellwire_site::bellwire::{Consumer, Patch, Refusal, Socket};
use bellwire_site::{Live, MaybeUser, SiteState, User};

use crate::actions::{self, Action, CommentInput, PageKind, PageTarget};
use crate::comment_feed::comment_feed;
use crate::forms::SearchQuery;
use crate::models::article::{ARTICLE, Article};
use crate::pages::{self, ArticlePage, List};
use crate::{BlogError, fragments};

/// `GET /ws/blog/`: opens the connection of a window. No login is required.
pub(crate) async fn blog(
    MaybeUser(user): MaybeUser,
    State(site): State<SiteState>,
    live: Live,
) -> Response {
    live.run(BlogConsumer::new(site, user))
}

/// The consumer of one window.
#[derive(Debug)]
pub struct BlogConsumer {
    site: SiteState,
    user: Option<User>,
    /// The id of the article that is shown.
    article: Option<i64>,
}

impl BlogConsumer {
    /// A consumer for this user, or for an anonymous visitor. It shows no article yet.
    pub fn new(site: SiteState, user: Option<User>) -> Self {
        Self { site, user, article: None }
    }

    /// The user with the current role: it may have been granted or revoked since the connection was
    /// opened.
    async fn viewer(&mut self) -> Result<Option<&User>, BlogError> {
        if let Some(user) = &mut self.user {
            user.is_staff = users::is_staff(self.site.db().read(), user.id).await?;
        }
        Ok(self.user.as_ref())
    }

    async fn is_staff(&mut self) -> Result<bool, BlogError> {
        Ok(self.viewer().await?.is_some_and(|user| user.is_staff))
    }

    /// The article that the page shows, from the address in its query (`at=/blog/article/tea/`).
    async fn article_of_page(&mut self, at: Option<String>) -> Result<Option<Article>, BlogError> {
        let slug = at.as_deref().and_then(|at| at.strip_prefix("/blog/article/"));
        let Some(slug) =
            slug.map(|rest| rest.trim_end_matches('/')).filter(|slug| !slug.contains('/'))
        else {
            return Ok(None);
        };
        let slug = percent_encoding::percent_decode_str(slug).decode_utf8_lossy().into_owned();
        let is_staff = self.is_staff().await?;
        let article = Article::by_slug(self.site.db().read(), &slug).await?;
        Ok(article.filter(|article| article.is_for(is_staff)))
    }

    /// Leaves the article that is shown, if any.
    fn leave(&mut self, socket: &mut Socket<Self>) {
        if let Some(article) = self.article.take() {
            socket.leave(ARTICLE.of(article));
        }
    }

    async fn move_to(
        &mut self,
        socket: &mut Socket<Self>,
        target: PageTarget,
    ) -> Result<(), BlogError> {
        let (page, path) = match target.page {
            PageKind::SinglePost => {
                let missing = || Refusal::field("id", "Missing `id` of the article.");
                return self.open_article(socket, target.id.ok_or_else(missing)?).await;
            }
            PageKind::AllPosts => {
                let list = List::load(&self.site, SearchQuery::default(), 0, 1).await?;
                (pages::all(self.viewer().await?, &list)?, list.address())
            }
            PageKind::AboutUs => (pages::about(self.viewer().await?)?, pages::ABOUT.to_owned()),
        };
        self.leave(socket);
        send_all(socket, page.moved(&self.site, &path)).await
    }

    /// Opens an article: joins its feed, then reads the comments, then follows the feed from there.
    async fn open_article(&mut self, socket: &mut Socket<Self>, id: i64) -> Result<(), BlogError> {
        let is_staff = self.is_staff().await?;
        let article = Article::by_id(self.site.db().read(), id).await?;
        let article =
            article.filter(|article| article.is_for(is_staff)).ok_or(BlogError::NoArticle)?;
        let (feed, path) = (comment_feed(&self.site, id), article.path());
        socket.join(&feed);
        let page = ArticlePage::load(&self.site, self.user.as_ref(), article, None).await;
        match &page {
            _ if self.article == Some(id) => {}
            Ok(_) => {
                self.leave(socket);
                self.article = Some(id);
            }
            Err(_) => socket.leave(&feed),
        }
        let page = page?;
        let moved = page.page(self.user.as_ref())?.moved(&self.site, &path);
        send_all(socket, moved).await?;
        socket.follow_from(&feed, page.position.seq);
        Ok(())
    }

    /// Adds a comment, which the sender receives by the feed, like all readers. A client that has
    /// not opened an article opens that of its first accepted comment.
    async fn add_comment(
        &mut self,
        socket: &mut Socket<Self>,
        input: CommentInput,
    ) -> Result<(), BlogError> {
        let opens = self.article.is_none();
        let added = async {
            if opens {
                self.follow_from_now(socket, input.post_id).await?;
            }
            let from = socket.scope().address();
            actions::add_comment(&self.site, self.user.as_ref(), from, input).await
        };
        let added = added.await;
        if opens && added.is_err() {
            self.leave(socket);
        }
        added.map(drop)
    }

    /// Follows the comments of an article from now on, without sending the article.
    async fn follow_from_now(
        &mut self,
        socket: &mut Socket<Self>,
        id: i64,
    ) -> Result<(), BlogError> {
        let db = self.site.db().read();
        let article = Article::by_id(db, id).await?;
        article.filter(|article| article.is_for(false)).ok_or(BlogError::NoArticle)?;
        let feed = comment_feed(&self.site, id);
        socket.join(&feed);
        self.article = Some(id);
        socket.follow_from(&feed, Article::current_seq(db, id).await?);
        Ok(())
    }
}

async fn send_all(
    socket: &mut Socket<BlogConsumer>,
    patches: impl IntoIterator<Item = Patch>,
) -> Result<(), BlogError> {
    for patch in patches {
        socket.patch(patch).await?;
    }
    Ok(())
}

impl Consumer for BlogConsumer {
    type Action = Action;
    type Event = ();
    type Error = BlogError;

    async fn connect(&mut self, socket: &mut Socket<Self>) -> Result<(), BlogError> {
        let at = socket.scope().query("at").next();
        if let Some(article) = self.article_of_page(at).await? {
            self.article = Some(article.row.id);
            socket.follow(&comment_feed(&self.site, article.row.id));
        }
        Ok(())
    }

    async fn receive(
        &mut self,
        socket: &mut Socket<Self>,
        action: Action,
    ) -> Result<(), BlogError> {
        match action {
            Action::ChangePage(target) => self.move_to(socket, target).await,
            Action::AddNextPosts { page, search } => {
                let list = List::next(&self.site, SearchQuery::parse(&search), page).await?;
                send_all(socket, fragments::next_articles(&list)?).await
            }
            Action::Search { search } => {
                let list = List::load(&self.site, SearchQuery::parse(&search), 0, 1).await?;
                send_all(socket, fragments::search_results(&list)?).await
            }
            Action::AddComment(input) => self.add_comment(socket, input).await,
            Action::RemoveComment { id } => {
                let user = self.user.as_ref().ok_or(BlogError::NotStaff)?;
                actions::remove_comment(&self.site, user, id).await
            }
        }
    }
}
