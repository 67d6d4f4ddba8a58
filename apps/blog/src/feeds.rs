//! For programs that read: RSS, Atom, and the map of the site.

use askama::Template;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bellwire_site::markup::Text;
use bellwire_site::{SiteError, SiteState};
use chrono::{DateTime, SecondsFormat, Utc};
use sha2::{Digest, Sha256};

use crate::forms::Sought;
use crate::models::Article;
use crate::models::article::Listed;
use crate::pages::{ABOUT, ALL};

/// Articles in a feed.
const ARTICLES: u64 = 20;
/// Addresses that a map of a site may have.
const ADDRESSES: u64 = 50_000;
/// Addresses that are no articles: the first page, the list, and who we are.
const OTHERS: u64 = 3;

const RSS_PATH: &str = "/blog/feed/";
const ATOM_PATH: &str = "/blog/atom/";
pub(crate) const SITEMAP_PATH: &str = "/sitemap.xml";

#[derive(Template)]
#[template(path = "blog/feeds/rss.xml", escape = "html")]
struct Rss {
    feed: Feed,
}

#[derive(Template)]
#[template(path = "blog/feeds/atom.xml", escape = "html")]
struct Atom {
    feed: Feed,
}

#[derive(Template)]
#[template(path = "blog/feeds/sitemap.xml", escape = "html")]
struct Sitemap {
    pages: Vec<(String, Option<String>)>,
}

/// The newest articles, as feeds show them.
struct Feed {
    /// The feed's own address.
    itself: String,
    /// The page it is about.
    page: String,
    /// When something in it changed last.
    changed: Stamp,
    entries: Vec<Entry>,
}

struct Entry {
    title: String,
    url: String,
    author: String,
    summary: String,
    html: String,
    published: Stamp,
    changed: Stamp,
}

/// A moment as RSS and as Atom want it.
struct Stamp {
    rfc822: String,
    rfc3339: String,
}

impl From<DateTime<Utc>> for Stamp {
    fn from(at: DateTime<Utc>) -> Self {
        Self {
            rfc822: at.format("%a, %d %b %Y %H:%M:%S +0000").to_string(),
            rfc3339: at.to_rfc3339_opts(SecondsFormat::Secs, true),
        }
    }
}

/// `GET /blog/feed/`
pub(crate) async fn rss(State(site): State<SiteState>, asked: HeaderMap) -> Result<Response, SiteError> {
    let (feed, changed) = Feed::load(&site, RSS_PATH).await?;
    Ok(answer(&asked, "application/rss+xml; charset=utf-8", Rss { feed }.render()?, changed))
}

/// `GET /blog/atom/`
pub(crate) async fn atom(State(site): State<SiteState>, asked: HeaderMap) -> Result<Response, SiteError> {
    let (feed, changed) = Feed::load(&site, ATOM_PATH).await?;
    Ok(answer(&asked, "application/atom+xml; charset=utf-8", Atom { feed }.render()?, changed))
}

/// `GET /sitemap.xml`
pub(crate) async fn sitemap(State(site): State<SiteState>, asked: HeaderMap) -> Result<Response, SiteError> {
    let articles = Article::addresses(site.db().read(), ADDRESSES - OTHERS).await?;
    let changed = articles.iter().map(|(_, at)| *at).max().unwrap_or_default();
    let others = ["/", ALL, ABOUT].map(|path| (path.to_owned(), None));
    let articles = articles.into_iter().map(|(path, at)| (path, Some(Stamp::from(at).rfc3339)));
    let absolute = |(path, at): (String, _)| (site.public_url().absolute(&path), at);
    let pages = others.into_iter().chain(articles).map(absolute).collect();
    Ok(answer(&asked, "application/xml; charset=utf-8", Sitemap { pages }.render()?, changed))
}

impl Feed {
    async fn load(site: &SiteState, path: &str) -> Result<(Self, DateTime<Utc>), SiteError> {
        let listed = Listed { sought: Sought::default(), offset: 0, limit: ARTICLES };
        let articles = Article::list(site.db().read(), &listed).await?;
        let changed = articles.iter().map(|article| article.row.updated_at).max().unwrap_or_default();
        let url = site.public_url();
        let entry = |article: &Article| Entry {
            title: printable(&article.row.title),
            url: url.absolute(&article.path()),
            author: printable(&article.author),
            summary: printable(&article.summary()),
            html: printable(Text::article(&article.row.content).html().as_str()),
            published: article.row.published_at.unwrap_or(article.row.created_at).into(),
            changed: article.row.updated_at.into(),
        };
        let entries = articles.iter().map(entry).collect();
        let feed =
            Self { itself: url.absolute(path), page: url.absolute(ALL), changed: changed.into(), entries };
        Ok((feed, changed))
    }
}

/// Without the characters that XML cannot have, not even escaped.
fn printable(text: &str) -> String {
    text.chars()
        .filter(|c| (!c.is_control() || matches!(c, '\n' | '\t')) && !matches!(c, '\u{fffe}' | '\u{ffff}'))
        .collect()
}

/// The whole, or that it is what the reader has already.
fn answer(asked: &HeaderMap, kind: &'static str, body: String, changed: DateTime<Utc>) -> Response {
    let tag =
        Sha256::digest(body.as_bytes()).iter().take(16).map(|byte| format!("{byte:02x}")).collect::<String>();
    let (tag, date) = (format!("\"{tag}\""), changed.format("%a, %d %b %Y %H:%M:%S GMT").to_string());
    let known = is_known(asked, &tag, &date);
    let headers = [
        (header::ETAG, value(&tag)),
        (header::LAST_MODIFIED, value(&date)),
        // To be kept by everyone, and to be asked about each time: that costs little.
        (header::CACHE_CONTROL, HeaderValue::from_static("public, no-cache")),
    ];
    match known {
        true => (StatusCode::NOT_MODIFIED, headers).into_response(),
        false => (headers, [(header::CONTENT_TYPE, HeaderValue::from_static(kind))], body).into_response(),
    }
}

/// The tag decides where the reader has one (RFC 9110, 13.2.2). A date has to be the very one: what is withdrawn makes a feed look older.
fn is_known(asked: &HeaderMap, tag: &str, date: &str) -> bool {
    let tags: Vec<_> =
        asked.get_all(header::IF_NONE_MATCH).iter().filter_map(|line| line.to_str().ok()).collect();
    if !tags.is_empty() {
        let mut tags = tags.iter().flat_map(|line| line.split(',')).map(str::trim);
        return tags.any(|known| known == "*" || known.strip_prefix("W/").unwrap_or(known) == tag);
    }
    asked.get(header::IF_MODIFIED_SINCE).is_some_and(|known| known == date)
}

/// Tags and dates are plain ASCII.
fn value(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).unwrap_or_else(|_| unreachable!("`{text}` is ASCII"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asks(pairs: &[(header::HeaderName, &'static str)]) -> bool {
        let headers = pairs.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value)));
        is_known(&HeaderMap::from_iter(headers), "\"a\"", "Sat, 21 Nov 2026 10:00:00 GMT")
    }

    #[test]
    fn a_reader_who_has_it_is_told_so_by_the_tag_before_the_date() {
        use header::{IF_MODIFIED_SINCE, IF_NONE_MATCH};
        for known in ["\"a\"", "W/\"a\"", "\"x\", \"a\"", "*"] {
            assert!(asks(&[(IF_NONE_MATCH, known)]), "{known}");
        }
        let same = (IF_MODIFIED_SINCE, "Sat, 21 Nov 2026 10:00:00 GMT");
        assert!(asks(std::slice::from_ref(&same)));
        assert!(!asks(&[(IF_NONE_MATCH, "\"b\""), same]), "the tag says otherwise");
        assert!(!asks(&[(IF_MODIFIED_SINCE, "Sat, 21 Nov 2026 11:00:00 GMT")]) && !asks(&[]));
    }

    #[test]
    fn what_xml_cannot_have_is_left_out() {
        assert_eq!(printable("a\u{1}b\n\u{fffe}c\u{ffff}\u{7f}😀"), "ab\nc😀");
    }
}
