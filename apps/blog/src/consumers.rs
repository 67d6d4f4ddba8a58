//! One window of the blog: one socket that moves between pages, and follows the comments of the
//! article that is shown.

use std::net::IpAddr;

use axum::extract::State;
use axum::response::Response;
use bellwire_site::accounts::users;
use bellwire_site::bellwire::{CatchUp, Consumer, Error, GroupName, Invalid, Patch, Seq, Socket};
use bellwire_site::{MaybeUser, Page, SiteState, Upgrade, User};

use crate::actions::{self, Action, Asked, Name, Where};
use crate::forms::Sought;
use crate::models::article::{Article, feed_of};
use crate::models::comment::{Comment, Written};
use crate::pages::{self, ArticlePage, COMMENTS, List};
use crate::{BlogError, fragments};

/// How many changes a page is brought up to date by. One that missed more gets its list anew.
const CATCH_UP: u64 = 200;

/// Opens the socket of a window, for everybody.
pub(crate) async fn blog(
    MaybeUser(user): MaybeUser,
    State(site): State<SiteState>,
    upgrade: Upgrade,
) -> Response {
    upgrade.run(BlogConsumer::new(site, user))
}

/// Somebody's window, on an article or on another page.
#[derive(Debug)]
pub struct BlogConsumer {
    site: SiteState,
    user: Option<User>,
    /// The article that is read.
    article: Option<i64>,
}

impl BlogConsumer {
    /// This person, or a stranger, on no article yet.
    pub fn new(site: SiteState, user: Option<User>) -> Self {
        Self { site, user, article: None }
    }

    /// Who asks, with the role they have at this moment: it may have been given or taken since the
    /// socket was opened.
    async fn viewer(&mut self) -> Result<Option<&User>, BlogError> {
        if let Some(user) = &mut self.user {
            user.is_staff = users::is_staff(self.site.db().read(), user.id).await?;
        }
        Ok(self.user.as_ref())
    }

    /// The article that the page shows, as it says itself by its address (`at=/blog/article/tea/`).
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

    async fn move_to(&mut self, socket: &mut Socket, to: &Where) -> Result<(), BlogError> {
        match (to.page, to.id) {
            (Name::SinglePost, Some(id)) => return self.read(socket, id).await,
            (Name::SinglePost, None) => {
                return Err(Invalid::field("id", "`id` says which article.").into());
            }
            (Name::AllPosts | Name::AboutUs, _) => {}
        }
        let site = self.site.clone();
        let user = self.viewer().await?;
        let (page, path) = match to.page {
            Name::AboutUs => (pages::about(user)?, pages::ABOUT.to_owned()),
            _ => {
                let list = List::load(&site, Sought::default(), 0, 1).await?;
                (pages::all(user, &list)?, list.address())
            }
        };
        self.leave(socket);
        show(socket, &self.site, &page, &path).await
    }

    /// Opens an article: joins first, then reads what to show, and goes on from there.
    async fn read(&mut self, socket: &mut Socket, id: i64) -> Result<(), BlogError> {
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

    async fn comment(&mut self, socket: &mut Socket, asked: &Asked) -> Result<(), BlogError> {
        // A client that never said which article it shows says it by its first comment, if that is
        // accepted.
        let begins = self.article.is_none();
        let written = match begins {
            true => self.begin_to_read(socket, asked).await,
            false => self.write(socket.scope().address(), asked).await,
        };
        if begins && written.is_err() {
            self.leave(socket);
        }
        match written? {
            // It comes by the feed, as to everyone.
            Written::New(comment) if self.article == Some(comment.article_id) => Ok(()),
            // The answer to the first send was lost on the way; nobody else needs to hear it again.
            Written::Before(comment) if self.article == Some(comment.article_id) => {
                tell(socket, fragments::changed_comment(&comment)?).await
            }
            // Whoever has moved on meanwhile learns that it was written.
            Written::New(comment) | Written::Before(comment) => {
                tell(socket, fragments::written_elsewhere(&comment)).await
            }
        }
    }

    async fn write(&self, from: Option<IpAddr>, asked: &Asked) -> Result<Written, BlogError> {
        actions::add_comment(&self.site, self.user.as_ref(), from, asked).await
    }

    /// Joins first, so that the comment comes by the feed. Nothing is sent before this ends;
    /// whoever is refused has to leave again.
    async fn begin_to_read(
        &mut self,
        socket: &mut Socket,
        asked: &Asked,
    ) -> Result<Written, BlogError> {
        let (db, id) = (self.site.db().read(), asked.post_id);
        let article = Article::by_id(db, id).await?.filter(|article| article.is_for(false));
        let feed = article.ok_or(BlogError::NoArticle)?.feed(socket.layer());
        socket.join(&feed);
        self.article = Some(id);
        socket.follow_from(&feed, Article::current_seq(db, id).await?.cast_unsigned());
        self.write(socket.scope().address(), asked).await
    }

    async fn act(&mut self, socket: &mut Socket, action: Action) -> Result<(), BlogError> {
        match action {
            Action::ChangePage(to) => self.move_to(socket, &to).await,
            Action::AddNextPosts { page, search } => {
                let list = List::next(&self.site, Sought::parse(&search), page).await?;
                tell_all(socket, fragments::next_articles(&list)?).await
            }
            Action::Search { search } => {
                let list = List::load(&self.site, Sought::parse(&search), 0, 1).await?;
                tell_all(socket, fragments::found(&list)?).await
            }
            Action::AddComment(asked) => self.comment(socket, &asked).await,
            Action::RemoveComment { id } => {
                let user = self.user.as_ref().ok_or(BlogError::NotStaff)?;
                actions::remove_comment(&self.site, user, id).await
            }
        }
    }

    /// Everything after number `since`, or the list anew where that is unknown, impossible, or too
    /// much.
    async fn missed(&self, article: i64, since: Option<Seq>) -> Result<CatchUp, BlogError> {
        let db = self.site.db().read();
        let now = Article::current_seq(db, article).await?;
        if let Some(since) = since.map(Seq::cast_signed).filter(|since| (0..=now).contains(since)) {
            let changed = Comment::changed_since(db, article, since, CATCH_UP + 1).await?;
            if changed.len() as u64 <= CATCH_UP {
                let patches =
                    changed.iter().map(fragments::changed_comment).collect::<Result<_, _>>()?;
                return Ok(caught_up(patches, &changed, now));
            }
        }
        let newest = Comment::newest(db, article, None, COMMENTS).await?;
        // A page that knows nothing of an article to which nobody ever said anything has nothing to
        // replace.
        let patches = match now == 0 && since.is_none() {
            true => Vec::new(),
            false => vec![fragments::all_comments(&newest)?],
        };
        Ok(caught_up(patches, &newest, now))
    }
}

fn caught_up(patches: Vec<Patch>, shown: &[Comment], now: i64) -> CatchUp {
    CatchUp { patches, seq: Comment::reached(shown, now).cast_unsigned() }
}

async fn show(
    socket: &mut Socket,
    site: &SiteState,
    page: &Page,
    path: &str,
) -> Result<(), BlogError> {
    tell_all(socket, page.moved(site, path)).await
}

async fn tell_all(
    socket: &mut Socket,
    patches: impl IntoIterator<Item = Patch>,
) -> Result<(), BlogError> {
    for patch in patches {
        tell(socket, patch).await?;
    }
    Ok(())
}

async fn tell(socket: &mut Socket, patch: Patch) -> Result<(), BlogError> {
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
                self.missed(article, since).await.map_err(BlogError::over_socket)
            }
            _ => Ok(CatchUp { patches: Vec::new(), seq: since.unwrap_or_default() }),
        }
    }
}
