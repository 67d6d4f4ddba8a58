//! The consumer of a window: one socket that moves between pages and follows the comment feed of
//! the article that is shown.

use std::net::IpAddr;

use axum::extract::State;
use axum::response::Response;
use bellwire_site::accounts::users;
use bellwire_site::bellwire::{CatchUp, Consumer, Error, GroupName, Invalid, Patch, Seq, Socket};
use bellwire_site::{MaybeUser, Page, SiteState, Upgrade, User};

use crate::actions::{self, Action, CommentInput, PageKind, PageTarget};
use crate::forms::SearchQuery;
use crate::models::article::{Article, feed_of};
use crate::models::comment::{Comment, WriteOutcome};
use crate::pages::{self, ArticlePage, COMMENTS, List};
use crate::{BlogError, fragments};

/// The most changes sent one by one after a reconnect. A page that missed more receives its whole
/// list.
const CATCH_UP: u64 = 200;

/// `GET /ws/blog/`: opens the socket of a window. No login is required.
pub(crate) async fn blog(
    MaybeUser(user): MaybeUser,
    State(site): State<SiteState>,
    upgrade: Upgrade,
) -> Response {
    upgrade.run(BlogConsumer::new(site, user))
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

    /// The user with the current role: it may have been granted or revoked since the socket was
    /// opened.
    async fn viewer(&mut self) -> Result<Option<&User>, BlogError> {
        if let Some(user) = &mut self.user {
            user.is_staff = users::is_staff(self.site.db().read(), user.id).await?;
        }
        Ok(self.user.as_ref())
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
        let is_staff = self.viewer().await?.is_some_and(|user| user.is_staff);
        let article = Article::by_slug(self.site.db().read(), &slug).await?;
        Ok(article.filter(|article| article.is_for(is_staff)))
    }

    fn leave(&mut self, socket: &mut Socket) {
        if let Some(article) = self.article.take() {
            socket.leave(&socket.layer().group::<()>(feed_of(article)));
        }
    }

    async fn move_to(&mut self, socket: &mut Socket, target: &PageTarget) -> Result<(), BlogError> {
        match (target.page, target.id) {
            (PageKind::SinglePost, Some(id)) => return self.open_article(socket, id).await,
            (PageKind::SinglePost, None) => {
                return Err(Invalid::field("id", "Missing `id` of the article.").into());
            }
            (PageKind::AllPosts | PageKind::AboutUs, _) => {}
        }
        let site = self.site.clone();
        let user = self.viewer().await?;
        let (page, path) = match target.page {
            PageKind::AboutUs => (pages::about(user)?, pages::ABOUT.to_owned()),
            _ => {
                let list = List::load(&site, SearchQuery::default(), 0, 1).await?;
                (pages::all(user, &list)?, list.address())
            }
        };
        self.leave(socket);
        show(socket, &self.site, &page, &path).await
    }

    /// Opens an article: joins its feed, then reads the comments, then follows the feed from there.
    async fn open_article(&mut self, socket: &mut Socket, id: i64) -> Result<(), BlogError> {
        let site = self.site.clone();
        let user = self.viewer().await?;
        let is_staff = user.is_some_and(|user| user.is_staff);
        let article = Article::by_id(site.db().read(), id).await?;
        let article =
            article.filter(|article| article.is_for(is_staff)).ok_or(BlogError::NoArticle)?;
        let (feed, path) = (article.feed(socket.layer()), article.path());
        socket.join(&feed);
        let page = match ArticlePage::load(&site, self.user.as_ref(), article, None).await {
            Ok(page) => page,
            Err(error) => {
                if self.article != Some(id) {
                    socket.leave(&feed);
                }
                return Err(error);
            }
        };
        if self.article != Some(id) {
            self.leave(socket);
            self.article = Some(id);
        }
        show(socket, &site, &page.page(self.user.as_ref())?, &path).await?;
        socket.follow_from(&feed, page.seq.cast_unsigned());
        Ok(())
    }

    async fn add_comment(
        &mut self,
        socket: &mut Socket,
        input: &CommentInput,
    ) -> Result<(), BlogError> {
        // A client that has not opened an article opens that of its first accepted comment.
        let opens = self.article.is_none();
        let outcome = match opens {
            true => self.open_and_write(socket, input).await,
            false => self.write_comment(socket.scope().address(), input).await,
        };
        if opens && outcome.is_err() {
            self.leave(socket);
        }
        match outcome? {
            // The sender receives it by the feed, like all readers.
            WriteOutcome::New(comment) if self.article == Some(comment.article_id) => Ok(()),
            // The answer to the first send was lost. Only the sender receives the comment again.
            WriteOutcome::Existing(comment) if self.article == Some(comment.article_id) => {
                send(socket, fragments::changed_comment(&comment)?).await
            }
            // The window shows another page by now: confirm without showing the comment.
            WriteOutcome::New(comment) | WriteOutcome::Existing(comment) => {
                send(socket, fragments::comment_receipt(&comment)).await
            }
        }
    }

    async fn write_comment(
        &self,
        from: Option<IpAddr>,
        input: &CommentInput,
    ) -> Result<WriteOutcome, BlogError> {
        actions::add_comment(&self.site, self.user.as_ref(), from, input).await
    }

    /// Joins the article's feed, then adds the comment, so that the sender receives it by the feed.
    /// Nothing is sent before this returns. On an error the caller must leave the feed.
    async fn open_and_write(
        &mut self,
        socket: &mut Socket,
        input: &CommentInput,
    ) -> Result<WriteOutcome, BlogError> {
        let (db, id) = (self.site.db().read(), input.post_id);
        let article = Article::by_id(db, id).await?.filter(|article| article.is_for(false));
        let feed = article.ok_or(BlogError::NoArticle)?.feed(socket.layer());
        socket.join(&feed);
        self.article = Some(id);
        socket.follow_from(&feed, Article::current_seq(db, id).await?.cast_unsigned());
        self.write_comment(socket.scope().address(), input).await
    }

    async fn act(&mut self, socket: &mut Socket, action: Action) -> Result<(), BlogError> {
        match action {
            Action::ChangePage(target) => self.move_to(socket, &target).await,
            Action::AddNextPosts { page, search } => {
                let list = List::next(&self.site, SearchQuery::parse(&search), page).await?;
                send_all(socket, fragments::next_articles(&list)?).await
            }
            Action::Search { search } => {
                let list = List::load(&self.site, SearchQuery::parse(&search), 0, 1).await?;
                send_all(socket, fragments::search_results(&list)?).await
            }
            Action::AddComment(input) => self.add_comment(socket, &input).await,
            Action::RemoveComment { id } => {
                let user = self.user.as_ref().ok_or(BlogError::NotStaff)?;
                actions::remove_comment(&self.site, user, id).await
            }
        }
    }

    /// The changes after number `since`, or the whole list if `since` is unknown or impossible, or
    /// if there are too many changes.
    async fn changes_since(&self, article: i64, since: Option<Seq>) -> Result<CatchUp, BlogError> {
        let db = self.site.db().read();
        let now = Article::current_seq(db, article).await?;
        if let Some(since) = since.map(Seq::cast_signed).filter(|since| (0..=now).contains(since)) {
            let changed = Comment::changed_since(db, article, since, CATCH_UP + 1).await?;
            if changed.len() as u64 <= CATCH_UP {
                let patches =
                    changed.iter().map(fragments::changed_comment).collect::<Result<_, _>>()?;
                return Ok(catch_up_to(patches, &changed, now));
            }
        }
        let newest = Comment::newest(db, article, None, COMMENTS).await?;
        // An article without any comment so far, and a page without a number: nothing to replace.
        let patches = match now == 0 && since.is_none() {
            true => Vec::new(),
            false => vec![fragments::all_comments(&newest)?],
        };
        Ok(catch_up_to(patches, &newest, now))
    }
}

fn catch_up_to(patches: Vec<Patch>, shown: &[Comment], now: i64) -> CatchUp {
    CatchUp { patches, seq: Comment::reached(shown, now).cast_unsigned() }
}

async fn show(
    socket: &mut Socket,
    site: &SiteState,
    page: &Page,
    path: &str,
) -> Result<(), BlogError> {
    send_all(socket, page.moved(site, path)).await
}

async fn send_all(
    socket: &mut Socket,
    patches: impl IntoIterator<Item = Patch>,
) -> Result<(), BlogError> {
    for patch in patches {
        send(socket, patch).await?;
    }
    Ok(())
}

async fn send(socket: &mut Socket, patch: Patch) -> Result<(), BlogError> {
    Ok(socket.patch(patch).await?)
}

impl Consumer for BlogConsumer {
    type Action = Action;
    type Event = ();

    async fn connect(&mut self, socket: &mut Socket) -> Result<(), Error> {
        let at = socket.scope().query("at").next();
        if let Some(article) = self.article_of_page(at).await.map_err(BlogError::at_connect)? {
            self.article = Some(article.row.id);
            socket.follow(&article.feed(socket.layer()));
        }
        Ok(())
    }

    async fn receive(&mut self, socket: &mut Socket, action: Action) -> Result<(), Error> {
        self.act(socket, action).await.map_err(BlogError::over_socket)
    }

    async fn catch_up(
        &mut self,
        _: &mut Socket,
        feed: &GroupName,
        since: Option<Seq>,
    ) -> Result<CatchUp, Error> {
        match self.article {
            Some(article) if feed_of(article) == *feed => {
                self.changes_since(article, since).await.map_err(BlogError::over_socket)
            }
            _ => Ok(CatchUp { patches: Vec::new(), seq: since.unwrap_or_default() }),
        }
    }
}
