//! The machine-readable documents: RSS, Atom and the sitemap.

use std::fmt::Debug;

use askama::Template;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bellwire_site::bellwire::header_items;
use bellwire_site::markup::Text;
use bellwire_site::{SiteError, SiteState};
use chrono::{DateTime, SecondsFormat, Utc};
use sha2::{Digest, Sha256};

use crate::BlogError;
use crate::forms::SearchQuery;
use crate::models::Headline;
use crate::models::headline::ListFilter;
use crate::pages::{ABOUT, ALL};

/// The number of articles in a feed.
const ARTICLES: u64 = 20;
/// The most addresses that a sitemap may have.
const ADDRESSES: u64 = 50_000;
/// The addresses that are no articles: the front page, the list and the page about the authors.
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

/// The newest articles, as rendered in feeds.
struct Feed {
    /// The feed's own address.
    itself: String,
    /// The address of the page that the feed belongs to.
    page: String,
    /// The time of the last change.
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

/// A time in the formats of RSS (RFC 822) and Atom (RFC 3339).
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
pub(crate) async fn rss(
    State(site): State<SiteState>,
    headers: HeaderMap,
) -> Result<Response, SiteError> {
    feed(&site, &headers, RSS_PATH, "application/rss+xml; charset=utf-8", |feed| {
        Rss { feed }.render()
    })
    .await
}

/// `GET /blog/atom/`
pub(crate) async fn atom(
    State(site): State<SiteState>,
    headers: HeaderMap,
) -> Result<Response, SiteError> {
    feed(&site, &headers, ATOM_PATH, "application/atom+xml; charset=utf-8", |feed| {
        Atom { feed }.render()
    })
    .await
}

async fn feed(
    site: &SiteState,
    headers: &HeaderMap,
    path: &str,
    kind: &'static str,
    render: fn(Feed) -> askama::Result<String>,
) -> Result<Response, SiteError> {
    let filter = ListFilter { search: SearchQuery::default(), offset: 0, limit: ARTICLES };
    let newest = Headline::list(site.db().read(), &filter).await?;
    let validators = Validators::new(site, path, changed(&newest), &newest);
    if validators.match_request(headers) {
        return Ok(validators.not_modified());
    }
    let feed = Feed::load(site, path, &newest).await?;
    Ok(validators.answer(kind, render(feed)?))
}

/// `GET /sitemap.xml`
pub(crate) async fn sitemap(
    State(site): State<SiteState>,
    headers: HeaderMap,
) -> Result<Response, SiteError> {
    let state = Headline::fingerprint(site.db().read()).await?;
    let validators = Validators::new(&site, SITEMAP_PATH, state.changed, &state);
    if validators.match_request(&headers) {
        return Ok(validators.not_modified());
    }
    let articles = Headline::addresses(site.db().read(), ADDRESSES - OTHERS).await?;
    let others = ["/", ALL, ABOUT].map(|path| (path.to_owned(), None));
    let articles = articles.into_iter().map(|(path, at)| (path, Some(Stamp::from(at).rfc3339)));
    let absolute = |(path, at): (String, _)| (site.public_url().absolute(&path), at);
    let pages = others.into_iter().chain(articles).map(absolute).collect();
    Ok(validators.answer("application/xml; charset=utf-8", Sitemap { pages }.render()?))
}

/// The time at which the last of these articles was saved.
fn changed(articles: &[Headline]) -> DateTime<Utc> {
    articles.iter().map(|article| article.updated_at).max().unwrap_or_default()
}

impl Feed {
    async fn load(site: &SiteState, path: &str, articles: &[Headline]) -> Result<Self, BlogError> {
        let contents =
            Headline::contents(site.db().read(), articles.iter().map(|article| article.id)).await?;
        let url = site.public_url();
        let entry = |article: &Headline| {
            Some(Entry {
                title: printable(&article.title),
                url: url.absolute(&article.path()),
                author: printable(&article.author),
                summary: printable(&article.summary),
                html: printable(Text::article(contents.get(&article.id)?).html().as_str()),
                published: article.date().into(),
                changed: article.updated_at.into(),
            })
        };
        Ok(Self {
            itself: url.absolute(path),
            page: url.absolute(ALL),
            changed: changed(articles).into(),
            entries: articles.iter().filter_map(entry).collect(),
        })
    }
}

/// Removes the characters that XML does not allow, not even escaped.
fn printable(text: &str) -> String {
    text.chars()
        .filter(|c| {
            (!c.is_control() || matches!(c, '\n' | '\t')) && !matches!(c, '\u{fffe}' | '\u{ffff}')
        })
        .collect()
}

/// The HTTP validators of a document. They are computed without rendering it.
struct Validators {
    tag: String,
    date: String,
}

impl Validators {
    /// Hashes the address, the build of the site and the `state` of the articles.
    fn new(site: &SiteState, path: &str, changed: DateTime<Utc>, state: &impl Debug) -> Self {
        let all = format!("{} {} {state:?}", site.public_url().absolute(path), site.build());
        let hex: String =
            Sha256::digest(all).iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        Self {
            tag: format!("\"{hex}\""),
            date: changed.format("%a, %d %b %Y %H:%M:%S GMT").to_string(),
        }
    }

    /// Whether the client has the current document.
    fn match_request(&self, headers: &HeaderMap) -> bool {
        etag_matches(headers, &self.tag)
    }

    fn headers(&self) -> [(HeaderName, HeaderValue); 3] {
        [
            // A weak tag: it stands for the same articles, not for the same bytes. Another version
            // of the program may render them differently.
            (header::ETAG, value(&format!("W/{}", self.tag))),
            (header::LAST_MODIFIED, value(&self.date)),
            // Caches may store the document but must revalidate it each time, which is cheap.
            (header::CACHE_CONTROL, HeaderValue::from_static("public, no-cache")),
        ]
    }

    fn not_modified(&self) -> Response {
        (StatusCode::NOT_MODIFIED, self.headers()).into_response()
    }

    fn answer(&self, kind: &'static str, body: String) -> Response {
        (self.headers(), [(header::CONTENT_TYPE, HeaderValue::from_static(kind))], body)
            .into_response()
    }
}

/// Checks `If-None-Match` only. A date is not sufficient: withdrawing an article does not change
/// the date of the others.
fn etag_matches(headers: &HeaderMap, tag: &str) -> bool {
    let mut tags = header_items(headers, header::IF_NONE_MATCH, b',');
    tags.any(|known| known == b"*" || known.strip_prefix(b"W/").unwrap_or(known) == tag.as_bytes())
}

/// Converts a tag or a date, which are ASCII, to a header value.
fn value(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).unwrap_or_else(|_| unreachable!("`{text}` is ASCII"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches_a(name: HeaderName, value: impl AsRef<[u8]>) -> bool {
        let value = HeaderValue::from_bytes(value.as_ref()).unwrap();
        etag_matches(&HeaderMap::from_iter([(name, value)]), "\"a\"")
    }

    #[test]
    fn a_malformed_tag_does_not_affect_the_others() {
        for known in [&b"\"\xe9\", \"a\""[..], b"\"a\", \"\xc3\xa9\""] {
            assert!(matches_a(header::IF_NONE_MATCH, known), "{known:?}");
        }
        assert!(!matches_a(header::IF_NONE_MATCH, b"\"a\xe9\""));
    }

    #[test]
    fn only_the_tag_decides_whether_a_document_is_unmodified() {
        for known in ["\"a\"", "W/\"a\"", "\"x\", \"a\"", "*"] {
            assert!(matches_a(header::IF_NONE_MATCH, known), "{known}");
        }
        assert!(!matches_a(header::IF_NONE_MATCH, "\"b\""));
        assert!(!matches_a(header::IF_MODIFIED_SINCE, "Sat, 21 Nov 2026 10:00:00 GMT"));
    }

    #[test]
    fn characters_that_xml_does_not_allow_are_removed() {
        assert_eq!(printable("a\u{1}b\n\u{fffe}c\u{ffff}\u{7f}😀"), "ab\nc😀");
    }
}
