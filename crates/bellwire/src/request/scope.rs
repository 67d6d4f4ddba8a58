//! [`Scope`]: the facts about a connection that are known before its first message.

use std::fmt;
use std::net::IpAddr;

use axum::extract::OriginalUri;
use http::request::Parts;

use crate::limits::MAX_FEEDS;
use crate::position::{FeedPosition, Position};
use crate::{GroupName, Identity};

/// The scope of a connection, as in Channels: its path and query, the identity behind it, and the
/// positions of its page in feeds.
///
/// A scope lives as long as its socket, so it holds only what log lines and decisions need.
#[derive(Debug, Clone, Default)]
pub struct Scope {
    pub(crate) path: Box<str>,
    pub(crate) query: Box<str>,
    pub(crate) identity: Identity,
    pub(crate) since: Box<[Position]>,
}

impl Scope {
    /// The scope of a request. Its path is the original one, also in a nested router.
    ///
    /// # Errors
    /// Returns [`UriTooLong`] if the path and query have more than `limit` bytes. They are kept as
    /// long as the connection.
    pub(crate) fn of(parts: &Parts, limit: usize) -> Result<Self, UriTooLong> {
        let original = parts.extensions.get::<OriginalUri>();
        let uri = original.map_or(&parts.uri, |original| &original.0);
        if uri.path().len() + uri.query().unwrap_or_default().len() > limit {
            return Err(UriTooLong(limit));
        }
        let mut scope = Self::new(uri.path(), uri.query().unwrap_or_default());
        if let Some(identity) = parts.extensions.get::<Identity>() {
            scope.identity = identity.clone();
        }
        Ok(scope)
    }

    pub(crate) fn new(path: &str, query: &str) -> Self {
        Self { path: path.into(), query: query.into(), since: since(query), ..Self::default() }
    }

    /// Takes the positions from a `Last-Event-ID`. They replace those of the query, which are
    /// older.
    #[cfg(feature = "sse")]
    pub(crate) fn resume(&mut self, last_event_id: &[u8]) {
        let last_event_id = std::str::from_utf8(last_event_id).unwrap_or_default();
        self.since = positions(last_event_id).take(MAX_FEEDS).collect();
    }

    /// The path of the request, such as `/ws/chat/hi/`.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The values of a query parameter, percent-decoded.
    pub fn query<'a>(&'a self, name: &'a str) -> impl Iterator<Item = String> + 'a {
        pairs(&self.query).filter(move |(key, _)| key == name).map(|(_, value)| value)
    }

    /// The key of the person, set by the [`Identity`] or by
    /// [`Live::person`](crate::Live::person).
    pub fn person(&self) -> Option<&str> {
        self.identity.person()
    }

    /// The key of the session, set by the [`Identity`] or by
    /// [`Live::session`](crate::Live::session).
    pub fn session(&self) -> Option<&str> {
        self.identity.session()
    }

    /// The client's address, set by the [`Identity`] or by
    /// [`Live::address`](crate::Live::address).
    pub fn address(&self) -> Option<IpAddr> {
        self.identity.address
    }

    /// The position of the page in this feed, if it sent one.
    pub(crate) fn since(&self, feed: &GroupName) -> Option<FeedPosition> {
        self.since.iter().find(|position| position.feed == *feed).map(|position| position.at)
    }
}

/// The path and query of a request exceed [`Limits::uri_bytes`](crate::Limits::uri_bytes).
#[derive(Debug, thiserror::Error)]
#[error("The path and query of this address are too long. At most {0} bytes are allowed.")]
pub struct UriTooLong(usize);

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {}", self.path, self.person().unwrap_or("an anonymous client"))
    }
}

/// Parses the parameters `since=<feed>:<epoch>.<number>`, of which there may be several.
fn since(query: &str) -> Box<[Position]> {
    pairs(query)
        .filter(|(key, _)| key == "since")
        .flat_map(|(_, value)| positions(&value).collect::<Vec<_>>())
        .take(MAX_FEEDS)
        .collect()
}

/// Parses positions separated by commas. Invalid ones are skipped; the whole state of that feed is
/// then sent.
fn positions(text: &str) -> impl Iterator<Item = Position> {
    text.split(',').filter_map(Position::parse)
}

fn pairs(query: &str) -> impl Iterator<Item = (String, String)> {
    url::form_urlencoded::parse(query.as_bytes()).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn since(scope: &Scope, feed: &str) -> Option<String> {
        scope.since(&GroupName::new(feed).unwrap()).map(|at| at.to_string())
    }

    #[test]
    fn since_gives_the_position_of_a_page_in_each_feed() {
        let scope = Scope::new(
            "/ws/",
            "dialect=htmx&since=chat.room.1%3A3f9.42&since=blog:a.7&since=&since=x&since=bad name:1",
        );
        assert_eq!(since(&scope, "chat.room.1").as_deref(), Some("3f9.42"));
        assert_eq!(since(&scope, "blog").as_deref(), Some("a.7"));
        assert_eq!(since(&scope, "other"), None);
        assert_eq!(scope.query("dialect").collect::<Vec<_>>(), ["htmx"]);
        let scope = Scope::new("/ws/", "since=a:f.1,b:f.2,,x,c:f.3");
        assert_eq!(
            ["a", "b", "c"].map(|feed| since(&scope, feed)),
            ["f.1", "f.2", "f.3"].map(|at| Some(at.to_owned()))
        );
    }

    #[test]
    fn positions_beyond_the_maximum_number_of_feeds_are_ignored() {
        let sent: Vec<_> = (0..MAX_FEEDS + 8).map(|feed| format!("feed.{feed}:f.{feed}")).collect();
        let query = format!("since={}&since={}", sent[..20].join(","), sent[20..].join(","));
        let mut resumed = Scope::new("/ws/", "");
        resumed.resume(sent.join(",").as_bytes());
        for scope in [Scope::new("/ws/", &query), resumed] {
            let found = |feed: usize| since(&scope, &format!("feed.{feed}"));
            assert!((0..MAX_FEEDS).all(|feed| found(feed) == Some(format!("f.{feed}"))));
            assert_eq!((found(MAX_FEEDS), scope.since.len()), (None, MAX_FEEDS));
        }
    }

    #[test]
    fn the_last_event_id_overrides_the_query_and_invalid_positions_are_ignored() {
        for (last_event_id, expected) in [
            (&b"a:f.7,b:f.9"[..], [Some("f.7"), Some("f.9")]),
            (b"a:f.7", [Some("f.7"), None]),
            (b"a:f.7,b:x", [Some("f.7"), None]),
            (b"a:7,b:f.9", [None, Some("f.9")]),
            (b"nonsense", [None, None]),
            (b"a:f.-1,b:f.99999999999999999999", [None, None]),
            (b"a:f.7,b:f.9\xff", [None, None]),
        ] {
            let mut scope = Scope::new("/ws/", "since=a:f.1&since=b:f.2");
            scope.resume(last_event_id);
            assert_eq!(
                ["a", "b"].map(|feed| since(&scope, feed)),
                expected.map(|at| at.map(str::to_owned)),
                "{}",
                String::from_utf8_lossy(last_event_id)
            );
        }
    }
}
