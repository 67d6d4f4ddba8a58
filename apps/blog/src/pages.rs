//! The pages that everyone reads: made once here, for HTTP and for the socket alike.

use askama::Template;
use bellwire_site::bellwire::Html;
use bellwire_site::markup::Text;
use bellwire_site::{Field, Page, SiteState, User};
use chrono::{DateTime, SecondsFormat, Utc};

use crate::BlogError;
use crate::forms::Sought;
use crate::fragments::CommentView;
use crate::models::article::{Article, feed_of};
use crate::models::comment::Comment;
use crate::models::headline::{Headline, Listed};

/// Articles of one page of the list.
pub(crate) const PAGE: u64 = 5;
/// Pages that an address shows at most. What comes after is shown by "More posts" alone.
const PAGES: u64 = 40;
/// Comments that a page shows at first; what is older is behind a link.
pub(crate) const COMMENTS: u64 = 200;

/// The addresses.
pub(crate) const ALL: &str = "/blog/";
pub(crate) const ABOUT: &str = "/blog/about/";
pub(crate) const DRAFTS: &str = "/blog/drafts/";
pub(crate) const WRITE: &str = "/blog/write/";

/// What the list says of itself to search engines.
const DESCRIPTION: &str =
    "Articles about slow things made well, and what their readers have to say.";

/// Articles of the list, and how it goes on.
pub(crate) struct List {
    pub(crate) sought: Sought,
    articles: Vec<Teaser>,
    /// The last page that is shown, from 1 on.
    page: u64,
    has_more: bool,
}

/// An article in the list.
pub(crate) struct Teaser {
    pub(crate) id: i64,
    pub(crate) title: String,
    pub(crate) path: String,
    pub(crate) author: String,
    pub(crate) date: Moment,
    pub(crate) summary: String,
    pub(crate) comments: i64,
}

/// A day, for people and for programs.
pub(crate) struct Moment {
    pub(crate) iso: String,
    pub(crate) words: String,
}

impl From<DateTime<Utc>> for Moment {
    fn from(at: DateTime<Utc>) -> Self {
        Self {
            iso: at.to_rfc3339_opts(SecondsFormat::Secs, true),
            words: at.format("%-d %B %Y").to_string(),
        }
    }
}

impl List {
    /// Pages of what is listed: all that come after `after`, to `page`.
    ///
    /// # Errors
    /// The database's.
    pub(crate) async fn load(
        site: &SiteState,
        sought: Sought,
        after: u64,
        page: u64,
    ) -> Result<Self, BlogError> {
        let db = site.db().read();
        let wanted = (page - after) * PAGE;
        let listed = Listed { sought, offset: after * PAGE, limit: wanted + 1 };
        let mut found = Headline::list(db, &listed).await?;
        let has_more = found.len() as u64 > wanted;
        found.truncate(usize::try_from(wanted).unwrap_or(usize::MAX));
        let counts = Comment::counts(db, found.iter().map(|article| article.id)).await?;
        let comments =
            |id| counts.iter().find(|(article, _)| *article == id).map_or(0, |(_, count)| *count);
        let articles =
            found.iter().map(|article| Teaser::of(article, comments(article.id))).collect();
        Ok(Self { sought: listed.sought, articles, page, has_more })
    }

    /// The page of this number by itself.
    ///
    /// # Errors
    /// That there is none, or the database's.
    pub(crate) async fn next(
        site: &SiteState,
        sought: Sought,
        page: i64,
    ) -> Result<Self, BlogError> {
        // So far no list goes; as an offset it fits every database.
        let page = u64::try_from(page).ok().filter(|page| (1..=u64::from(u32::MAX)).contains(page));
        let page = page.ok_or(BlogError::NoMore)?;
        let list = Self::load(site, sought, page - 1, page).await?;
        if list.articles.is_empty() { Err(BlogError::NoMore) } else { Ok(list) }
    }

    /// All pages to this one, as an address names it.
    ///
    /// # Errors
    /// That there is none, or the database's.
    pub(crate) async fn to(site: &SiteState, sought: Sought, page: u64) -> Result<Self, BlogError> {
        if !(1..=PAGES).contains(&page) {
            return Err(BlogError::NoMore);
        }
        let list = Self::load(site, sought, 0, page).await?;
        let reached = list.articles.len() as u64 > (page - 1) * PAGE;
        if page == 1 || reached { Ok(list) } else { Err(BlogError::NoMore) }
    }

    /// The address that shows the same.
    pub(crate) fn address(&self) -> String {
        address(&self.sought, self.page.min(PAGES))
    }

    fn has_address_of_next(&self) -> bool {
        self.page < PAGES
    }
}

fn address(sought: &Sought, page: u64) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    if !sought.is_empty() {
        query.append_pair("search", sought.as_str());
    }
    if page > 1 {
        query.append_pair("page", &page.to_string());
    }
    match query.finish() {
        query if query.is_empty() => ALL.to_owned(),
        query => format!("{ALL}?{query}"),
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
    sought: &'a str,
}

impl<'a> Teasers<'a> {
    pub(crate) fn of(list: &'a List) -> Self {
        Self { articles: &list.articles, sought: list.sought.as_str() }
    }
}

/// How the list goes on, and the address that shows as much of it as is shown now.
#[derive(Template)]
#[template(path = "blog/components/_paginator.html")]
pub(crate) struct Paginator {
    address: String,
    next: Option<Next>,
}

/// What "More posts" asks for.
struct Next {
    href: String,
    data: String,
}

impl Paginator {
    pub(crate) fn of(list: &List) -> Self {
        let next = list.page + 1;
        let more = || Next {
            href: if list.has_address_of_next() {
                address(&list.sought, next)
            } else {
                list.address()
            },
            data: serde_json::json!({"page": next, "search": list.sought.as_str()}).to_string(),
        };
        Self { address: list.address(), next: list.has_more.then(more) }
    }
}

#[derive(Template)]
#[template(path = "blog/pages/_all.html")]
struct AllPage<'a> {
    posts: Teasers<'a>,
    paginator: Paginator,
    sought: &'a str,
}

/// The list of articles.
///
/// # Errors
/// The template's.
pub(crate) fn all(user: Option<&User>, list: &List) -> Result<Page, BlogError> {
    let sought = list.sought.as_str();
    let main = AllPage { posts: Teasers::of(list), paginator: Paginator::of(list), sought };
    let title = if sought.is_empty() { "Blog".to_owned() } else { format!("{sought} · Blog") };
    Ok(page(&title, &main, user, ALL)?.description(DESCRIPTION).connect("/ws/blog/"))
}

#[derive(Template)]
#[template(path = "blog/pages/_about.html")]
struct AboutPage;

/// Who we are.
///
/// # Errors
/// The template's.
pub(crate) fn about(user: Option<&User>) -> Result<Page, BlogError> {
    let description = "Who writes here, about what, and how to join the conversation.";
    Ok(page("About us", &AboutPage, user, ABOUT)?.description(description).connect("/ws/blog/"))
}

/// An article, with what is said below it.
#[derive(Template)]
#[template(path = "blog/pages/_article.html")]
pub(crate) struct ArticlePage {
    id: i64,
    title: String,
    path: String,
    author: String,
    date: Moment,
    is_draft: bool,
    html: Html,
    summary: String,
    feed: String,
    /// The number that its comments stand at.
    pub(crate) seq: i64,
    comments: Vec<CommentView>,
    /// Where the comments before these are.
    older: Option<String>,
    /// Whether these are older ones than the newest.
    is_older: bool,
    is_staff: bool,
    pub(crate) form: CommentForm,
}

/// The form for a comment, as it is shown.
#[derive(Default)]
pub(crate) struct CommentForm {
    pub(crate) author: Field,
    pub(crate) content: Field,
    pub(crate) error: Option<String>,
}

impl ArticlePage {
    /// Reads what is to be shown: the newest comments, or those before a place.
    ///
    /// # Errors
    /// The database's.
    pub(crate) async fn load(
        site: &SiteState,
        user: Option<&User>,
        article: Article,
        before: Option<i64>,
    ) -> Result<Self, BlogError> {
        let db = site.db().read();
        let Article { row, .. } = &article;
        // The number first: what comes after it is told by the feed, and told twice is shown once.
        let seq = Article::current_seq(db, row.id).await?;
        let comments = Comment::newest(db, row.id, before, COMMENTS).await?;
        let is_full = comments.len() as u64 == COMMENTS;
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
            feed: feed_of(row.id).as_str().to_owned(),
            seq,
            comments: comments.iter().map(CommentView::from).collect(),
            older: older.map(|seq| format!("{}?before={seq}#comments", article.path())),
            is_older: before.is_some(),
            is_staff: user.is_some_and(|user| user.is_staff),
            form: CommentForm::of(user),
        })
    }

    /// The page. Older comments stand still: the newest alone are live.
    ///
    /// # Errors
    /// The template's.
    pub(crate) fn page(&self, user: Option<&User>) -> Result<Page, BlogError> {
        let page =
            page(&self.title, self, user, &self.path)?.description(&*self.summary).kind("article");
        Ok(if self.is_older { page } else { page.connect("/ws/blog/") })
    }
}

impl CommentForm {
    /// Whoever is signed in need not type their name.
    fn of(user: Option<&User>) -> Self {
        let author = user.map(|user| Field::typed(&*user.name)).unwrap_or_default();
        Self { author, ..Self::default() }
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

/// A page of the blog, with its navigation.
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
        .script("blog/address_controller.js")
        .script("blog/comments_controller.js")
        .script("blog/search_controller.js"))
}
