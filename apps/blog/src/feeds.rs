//! For programs that read: RSS, Atom, and the map of the site.

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
use crate::forms::Sought;
use crate::models::Headline;
use crate::models::headline::Listed;
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
pub(crate) async fn rss(
    State(site): State<SiteState>,
    asked: HeaderMap,
) -> Result<Response, SiteError> {
    feed(&site, &asked, RSS_PATH, "application/rss+xml; charset=utf-8", |feed| {
        Rss { feed }.render()
    })
    .await
}

/// `GET /blog/atom/`
pub(crate) async fn atom(
    State(site): State<SiteState>,
    asked: HeaderMap,
) -> Result<Response, SiteError> {
    feed(&site, &asked, ATOM_PATH, "application/atom+xml; charset=utf-8", |feed| {
        Atom { feed }.render()
    })
    .await
}

async fn feed(
    site: &SiteState,
    asked: &HeaderMap,
    path: &str,
    kind: &'static str,
    render: fn(Feed) -> askama::Result<String>,
) -> Result<Response, SiteError> {
    let listed = Listed { sought: Sought::default(), offset: 0, limit: ARTICLES };
    let newest = Headline::list(site.db().read(), &listed).await?;
    let known = Known::by(site, path, changed(&newest), &newest);
    if known.is_had(asked) {
        return Ok(known.not_modified());
    }
    let feed = Feed::load(site, path, &newest).await?;
    Ok(known.answer(kind, render(feed)?))
}

/// `GET /sitemap.xml`
pub(crate) async fn sitemap(
    State(site): State<SiteState>,
    asked: HeaderMap,
) -> Result<Response, SiteError> {
    let state = Headline::state(site.db().read()).await?;
    let known = Known::by(&site, SITEMAP_PATH, state.changed, &state);
    if known.is_had(&asked) {
        return Ok(known.not_modified());
    }
    let articles = Headline::addresses(site.db().read(), ADDRESSES - OTHERS).await?;
    let others = ["/", ALL, ABOUT].map(|path| (path.to_owned(), None));
    let articles = articles.into_iter().map(|(path, at)| (path, Some(Stamp::from(at).rfc3339)));
    let absolute = |(path, at): (String, _)| (site.public_url().absolute(&path), at);
    let pages = others.into_iter().chain(articles).map(absolute).collect();
    Ok(known.answer("application/xml; charset=utf-8", Sitemap { pages }.render()?))
}

/// When the last of them was saved.
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

/// Without the characters that XML cannot have, not even escaped.
fn printable(text: &str) -> String {
    text.chars()
        .filter(|c| {
            (!c.is_control() || matches!(c, '\n' | '\t')) && !matches!(c, '\u{fffe}' | '\u{ffff}')
        })
        .collect()
}

/// By which a reader knows whether what they have is still the same, before any of it is made.
struct Known {
    tag: String,
    date: String,
}

impl Known {
    /// What is at this path, as this site and this build of it show it.
    fn by(site: &SiteState, path: &str, changed: DateTime<Utc>, state: &impl Debug) -> Self {
        let all = format!("{} {} {state:?}", site.public_url().absolute(path), site.build());
        let hex: String =
            Sha256::digest(all).iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        Self {
            tag: format!("\"{hex}\""),
            date: changed.format("%a, %d %b %Y %H:%M:%S GMT").to_string(),
        }
    }

    fn is_had(&self, asked: &HeaderMap) -> bool {
        is_known(asked, &self.tag)
    }

    fn headers(&self) -> [(HeaderName, HeaderValue); 3] {
        [
            // Of the same articles, not of the same bytes: another version of the program may write
            // them otherwise.
            (header::ETAG, value(&format!("W/{}", self.tag))),
            (header::LAST_MODIFIED, value(&self.date)),
            // To be kept by everyone, and to be asked about each time: that costs little.
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

/// Only the tag decides. A date would not do: what is withdrawn leaves the date of the others as it
/// was.
fn is_known(asked: &HeaderMap, tag: &str) -> bool {
    let mut tags = header_items(asked, header::IF_NONE_MATCH, b',');
    tags.any(|known| known == b"*" || known.strip_prefix(b"W/").unwrap_or(known) == tag.as_bytes())
}

/// Tags and dates are plain ASCII.
fn value(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).unwrap_or_else(|_| unreachable!("`{text}` is ASCII"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asks(name: HeaderName, known: impl AsRef<[u8]>) -> bool {
        let known = HeaderValue::from_bytes(known.as_ref()).unwrap();
        is_known(&HeaderMap::from_iter([(name, known)]), "\"a\"")
    }

    #[test]
    fn an_odd_tag_is_the_only_one_that_is_lost() {
        for known in [&b"\"\xe9\", \"a\""[..], b"\"a\", \"\xc3\xa9\""] {
            assert!(asks(header::IF_NONE_MATCH, known), "{known:?}");
        }
        assert!(!asks(header::IF_NONE_MATCH, b"\"a\xe9\""));
    }

    #[test]
    fn a_reader_who_has_it_is_told_so_by_the_tag_and_by_nothing_else() {
        for known in ["\"a\"", "W/\"a\"", "\"x\", \"a\"", "*"] {
            assert!(asks(header::IF_NONE_MATCH, known), "{known}");
        }
        assert!(!asks(header::IF_NONE_MATCH, "\"b\""));
        assert!(!asks(header::IF_MODIFIED_SINCE, "Sat, 21 Nov 2026 10:00:00 GMT"));
    }

    #[test]
    fn what_xml_cannot_have_is_left_out() {
        assert_eq!(printable("a\u{1}b\n\u{fffe}c\u{ffff}\u{7f}😀"), "ab\nc😀");
    }
}
