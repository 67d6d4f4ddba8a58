//! Renders the public pages, the same for HTTP and for the socket.

use askama::Template;
use bellwire_site::bellwire::{FeedPosition, Html, Refusal};
use bellwire_site::markup::Text;
use bellwire_site::{Field, Page, SiteState, User};
use chrono::{DateTime, SecondsFormat, Utc};

use crate::BlogError;
use crate::comment_feed::{SHOWN, comment_feed};
use crate::forms::SearchQuery;
use crate::fragments::CommentView;
use crate::models::article::Article;
use crate::models::comment::Comment;
use crate::models::headline::{Headline, ListFilter};

/// Articles per page of the list.
pub(crate) const PAGE: u64 = 5;
/// The most pages that an address shows. Later ones are available by "More articles" only.
const PAGES: u64 = 40;

/// The paths of the pages.
pub(crate) const ALL: &str = "/blog/";
pub(crate) const ABOUT: &str = "/blog/about/";
pub(crate) const DRAFTS: &str = "/blog/drafts/";
pub(crate) const WRITE: &str = "/blog/write/";

/// The description of the list for search engines.
const DESCRIPTION: &str =
    "Articles about slow things made well, and what their readers have to say.";

/// A part of the list of articles.
pub(crate) struct List {
    pub(crate) query: SearchQuery,
    articles: Vec<Teaser>,
    /// The number of the last page that is shown, from 1.
    page: u64,
    has_more: bool,
}

/// An article in the list.
pub(crate) struct Teaser {
    pub(crate) id: i64,
    pub(crate) title: String,
    pub(crate) path: String,
    pub(crate) author: String,
    pub(crate) date: DisplayDate,
    pub(crate) summary: String,
    pub(crate) comments: i64,
}

/// A date, machine-readable and human-readable.
pub(crate) struct DisplayDate {
    pub(crate) iso: String,
    pub(crate) text: String,
}

impl From<DateTime<Utc>> for DisplayDate {
    fn from(at: DateTime<Utc>) -> Self {
        Self {
            iso: at.to_rfc3339_opts(SecondsFormat::Secs, true),
            text: at.format("%-d %B %Y").to_string(),
        }
    }
}

impl List {
    /// Loads the pages after `after`, up to and including `page`.
    ///
    /// # Errors
    /// A database error.
    pub(crate) async fn load(
        site: &SiteState,
        query: SearchQuery,
        after: u64,
        page: u64,
    ) -> Result<Self, BlogError> {
        let db = site.db().read();
        let limit = (page - after) * PAGE;
        let filter = ListFilter { search: query, offset: after * PAGE, limit: limit + 1 };
        let mut found = Headline::list(db, &filter).await?;
        let has_more = found.len() as u64 > limit;
        found.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        let counts = Comment::counts(db, found.iter().map(|article| article.id)).await?;
        let comments =
            |id| counts.iter().find(|(article, _)| *article == id).map_or(0, |(_, count)| *count);
        let articles =
            found.iter().map(|article| Teaser::of(article, comments(article.id))).collect();
        Ok(Self { query: filter.search, articles, page, has_more })
    }

    /// Loads the page with this number only.
    ///
    /// # Errors
    /// [`BlogError::NoMore`], or a database error.
    pub(crate) async fn next(
        site: &SiteState,
        query: SearchQuery,
        page: i64,
    ) -> Result<Self, BlogError> {
        // No list is that long, and as an offset the number fits every database.
        let page = u64::try_from(page).ok().filter(|page| (1..=u64::from(u32::MAX)).contains(page));
        let page = page.ok_or(BlogError::NoMore)?;
        let list = Self::load(site, query, page - 1, page).await?;
        if list.articles.is_empty() { Err(BlogError::NoMore) } else { Ok(list) }
    }

    /// Loads all pages up to this one, for the address of a list.
    ///
    /// # Errors
    /// [`BlogError::NoMore`], or a database error.
    pub(crate) async fn up_to(
        site: &SiteState,
        query: SearchQuery,
        page: u64,
    ) -> Result<Self, BlogError> {
        if !(1..=PAGES).contains(&page) {
            return Err(BlogError::NoMore);
        }
        let list = Self::load(site, query, 0, page).await?;
        let reached = list.articles.len() as u64 > (page - 1) * PAGE;
        if page == 1 || reached { Ok(list) } else { Err(BlogError::NoMore) }
    }

    /// The address that shows the same list.
    pub(crate) fn address(&self) -> String {
        address(&self.query, self.page.min(PAGES))
    }

    fn has_address_of_next(&self) -> bool {
        self.page < PAGES
    }
}

fn address(query: &SearchQuery, page: u64) -> String {
    let mut params = url::form_urlencoded::Serializer::new(String::new());
    if !query.is_empty() {
        params.append_pair("search", query.as_str());
    }
    if page > 1 {
        params.append_pair("page", &page.to_string());
    }
    match params.finish() {
        params if params.is_empty() => ALL.to_owned(),
        params => format!("{ALL}?{params}"),
    }
}

impl Teaser {
    pub(crate) fn of(article: &Headline, comments: i64) -> Self {
        Self {
            id: article.id,
            title: article.title.clone(),
            path: article.path(),
            author: article.author.clone(),
            date: article.date().into(),
            summary: article.summary.clone(),
            comments,
        }
    }
}

#[derive(Template)]
#[template(path = "blog/components/_posts.html")]
pub(crate) struct Teasers<'a> {
    articles: &'a [Teaser],
    query: &'a str,
}

impl<'a> Teasers<'a> {
    pub(crate) fn of(list: &'a List) -> Self {
        Self { articles: &list.articles, query: list.query.as_str() }
    }
}

/// The pagination: the link to the next articles.
#[derive(Template)]
#[template(path = "blog/components/_paginator.html")]
pub(crate) struct Paginator {
    next: Option<Next>,
}

/// The target of "More articles".
struct Next {
    href: String,
    data: String,
}

impl Paginator {
    pub(crate) fn of(list: &List) -> Self {
        let next = list.page + 1;
        let more = || Next {
            href: if list.has_address_of_next() {
                address(&list.query, next)
            } else {
                list.address()
            },
            data: serde_json::json!({"page": next, "search": list.query.as_str()}).to_string(),
        };
        Self { next: list.has_more.then(more) }
    }
}

#[derive(Template)]
#[template(path = "blog/pages/_all.html")]
struct AllPage<'a> {
    posts: Teasers<'a>,
    paginator: Paginator,
    query: &'a str,
}

/// Renders the list of articles.
///
/// # Errors
/// A template error.
pub(crate) fn all(user: Option<&User>, list: &List) -> Result<Page, BlogError> {
    let query = list.query.as_str();
    let main = AllPage { posts: Teasers::of(list), paginator: Paginator::of(list), query };
    let title = if query.is_empty() { "Blog".to_owned() } else { format!("{query} · Blog") };
    Ok(page(&title, &main, user, ALL)?.description(DESCRIPTION).connect("/ws/blog/"))
}

#[derive(Template)]
#[template(path = "blog/pages/_about.html")]
struct AboutPage;

/// Renders the page about the authors.
///
/// # Errors
/// A template error.
pub(crate) fn about(user: Option<&User>) -> Result<Page, BlogError> {
    let description = "About this blog: its authors, its topics, and how to comment.";
    Ok(page("About us", &AboutPage, user, ABOUT)?.description(description).connect("/ws/blog/"))
}

/// An article with its comments.
#[derive(Template)]
#[template(path = "blog/pages/_article.html")]
pub(crate) struct ArticlePage {
    id: i64,
    title: String,
    path: String,
    author: String,
    date: DisplayDate,
    is_draft: bool,
    html: Html,
    summary: String,
    feed: String,
    /// The position of the comments in the feed.
    pub(crate) position: FeedPosition,
    comments: Vec<CommentView>,
    /// The address of the comments before these.
    older: Option<String>,
    /// Whether the page shows older comments instead of the newest.
    is_older: bool,
    is_staff: bool,
    pub(crate) form: CommentForm,
}

/// The state of the comment form.
#[derive(Default)]
pub(crate) struct CommentForm {
    author: Field,
    content: Field,
    error: Option<String>,
}

impl ArticlePage {
    /// Loads the page with the newest comments, or with those before a position.
    ///
    /// # Errors
    /// A database error.
    pub(crate) async fn load(
        site: &SiteState,
        user: Option<&User>,
        article: Article,
        before: Option<i64>,
    ) -> Result<Self, BlogError> {
        let (db, row) = (site.db().read(), &article.row);
        let feed = comment_feed(site, row.id);
        // Read the number first: the feed sends every later change, and the page shows a comment
        // once even if it receives it twice.
        let seq = Article::current_seq(db, row.id).await?;
        let comments = Comment::newest(db, row.id, before, SHOWN).await?;
        let is_full = comments.len() as u64 == SHOWN;
        let older = comments.first().filter(|_| is_full).map(|first| first.seq);
        let text = Text::article(&row.content);
        Ok(Self {
            id: row.id,
            title: row.title.clone(),
            path: article.path(),
            author: article.author.clone(),
            date: row.published_at.unwrap_or(row.updated_at).into(),
            is_draft: row.published_at.is_none(),
            html: text.html(),
            summary: row.summary.clone(),
            feed: feed.name().to_string(),
            position: feed.position(seq).await?,
            comments: comments.iter().map(CommentView::from).collect(),
            older: older.map(|seq| format!("{}?before={seq}#comments", article.path())),
            is_older: before.is_some(),
            is_staff: user.is_some_and(|user| user.is_staff),
            form: CommentForm::of(user),
        })
    }

    /// Renders the page. Only a page with the newest comments connects and is live.
    ///
    /// # Errors
    /// A template error.
    pub(crate) fn page(&self, user: Option<&User>) -> Result<Page, BlogError> {
        let page =
            page(&self.title, self, user, &self.path)?.description(&*self.summary).kind("article");
        Ok(if self.is_older { page } else { page.connect("/ws/blog/") })
    }
}

impl CommentForm {
    /// An empty form. The name of a signed-in user is filled in.
    fn of(user: Option<&User>) -> Self {
        let author = user.map(|user| Field::typed(&*user.name)).unwrap_or_default();
        Self { author, ..Self::default() }
    }

    /// A form with this input.
    pub(crate) fn typed(author: &str, content: &str) -> Self {
        Self { author: Field::typed(author), content: Field::typed(content), error: None }
    }

    /// The form with the error beside its field.
    pub(crate) fn refused(mut self, refusal: &Refusal) -> Self {
        match refusal.field.as_deref() {
            Some("author") => self.author.wrong(&refusal.message),
            Some("content") => self.content.wrong(&refusal.message),
            _ => self.error = Some(refusal.message.clone()),
        }
        self
    }
}

#[derive(Template)]
#[template(path = "blog/components/_nav.html")]
struct Nav<'a> {
    current: &'a str,
    is_staff: bool,
}

#[derive(Template)]
#[template(path = "blog/components/_head.html")]
struct Head;

/// Renders a page of the blog, with its navigation.
pub(crate) fn page(
    title: &str,
    main: &impl Template,
    user: Option<&User>,
    current: &str,
) -> Result<Page, BlogError> {
    let nav = Nav { current, is_staff: user.is_some_and(|user| user.is_staff) };
    Ok(Page::new(title, Html::from_template(main)?)
        .nav(Html::from_template(&nav)?)
        .head(Html::from_template(&Head)?)
        .style("blog/blog.css")
        .script("blog/list.js")
        .script("blog/comments_controller.js"))
}
