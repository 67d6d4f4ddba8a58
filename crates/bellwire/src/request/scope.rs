//! What is known of a connection, before its first message.

use std::fmt;
use std::net::IpAddr;

use axum::extract::OriginalUri;
use http::request::Parts;

use crate::{GroupName, Identity, Seq};

/// The most feeds whose position one page may name.
pub(crate) const FEEDS: usize = 32;

/// Who connected, where, and where their page left off. Everything a log line or a decision may
/// need and nothing more: a scope lives as long as its socket.
#[derive(Debug, Clone, Default)]
pub struct Scope {
    pub(crate) path: Box<str>,
    pub(crate) query: Box<str>,
    pub(crate) identity: Identity,
    pub(crate) since: Box<[(GroupName, Seq)]>,
}

impl Scope {
    /// The connection that these parts of a request ask for, wherever the router is nested.
    ///
    /// # Errors
    /// When the path and query have more than `most` bytes: they are kept as long as the
    /// connection.
    pub(crate) fn of(parts: &Parts, most: usize) -> Result<Self, UriTooLong> {
        let original = parts.extensions.get::<OriginalUri>();
        let uri = original.map_or(&parts.uri, |original| &original.0);
        if uri.path().len() + uri.query().unwrap_or_default().len() > most {
            return Err(UriTooLong(most));
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

    /// Begins where a stream of events was left, whatever its address says: that is older.
    pub(crate) fn resume(&mut self, last: &[u8]) {
        let last = std::str::from_utf8(last).unwrap_or_default();
        self.since = positions(last).take(FEEDS).collect();
    }

    /// The path of the socket's address, such as `/ws/chat/hi/`.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The values of a parameter of the address's query, percent-decoded.
    pub fn query<'a>(&'a self, name: &'a str) -> impl Iterator<Item = String> + 'a {
        pairs(&self.query).filter(move |(key, _)| key == name).map(|(_, value)| value)
    }

    /// The key of the person who connected, as its [`Identity`] or
    /// [`Upgrade::person`](crate::Upgrade::person) says.
    pub fn person(&self) -> Option<&str> {
        self.identity.person()
    }

    /// The key of their session, as its [`Identity`] or
    /// [`Upgrade::session`](crate::Upgrade::session) says.
    pub fn session(&self) -> Option<&str> {
        self.identity.session()
    }

    /// The address they connected from, as its [`Identity`] or
    /// [`Upgrade::address`](crate::Upgrade::address) says.
    pub fn address(&self) -> Option<IpAddr> {
        self.identity.address
    }

    /// Where the page left off in this feed, if it said so.
    pub(crate) fn since(&self, feed: &GroupName) -> Option<Seq> {
        self.since.iter().find(|(name, _)| name == feed).map(|(_, seq)| *seq)
    }
}

/// The path and query of a connection are too long.
#[derive(Debug, thiserror::Error)]
#[error("The path and query of this address are too long: {0} bytes at most.")]
pub struct UriTooLong(usize);

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {}", self.path, self.person().unwrap_or("somebody unknown"))
    }
}

/// `since=<feed>:<seq>`, as often as the page follows feeds.
fn since(query: &str) -> Box<[(GroupName, Seq)]> {
    pairs(query)
        .filter(|(key, _)| key == "since")
        .flat_map(|(_, value)| positions(&value).collect::<Vec<_>>())
        .take(FEEDS)
        .collect()
}

/// `<feed>:<seq>`, or several, with commas between them. What cannot be read is as good as not
/// said: the page is then brought up to date as a whole.
fn positions(text: &str) -> impl Iterator<Item = (GroupName, Seq)> {
    text.split(',').filter_map(|position| {
        let (feed, seq) = position.rsplit_once(':')?;
        Some((GroupName::new(feed).ok()?, seq.parse().ok()?))
    })
}

fn pairs(query: &str) -> impl Iterator<Item = (String, String)> {
    url::form_urlencoded::parse(query.as_bytes()).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_says_where_it_left_off_in_each_feed() {
        let scope = Scope::new(
            "/ws/",
            "dialect=htmx&since=chat.room.1%3A42&since=blog:7&since=&since=x&since=bad name:1",
        );
        assert_eq!(scope.since(&GroupName::new("chat.room.1").unwrap()), Some(42));
        assert_eq!(scope.since(&GroupName::new("blog").unwrap()), Some(7));
        assert_eq!(scope.since(&GroupName::new("other").unwrap()), None);
        assert_eq!(scope.query("dialect").collect::<Vec<_>>(), ["htmx"]);
        let scope = Scope::new("/ws/", "since=a:1,b:2,,x,c:3");
        assert_eq!(
            ["a", "b", "c"].map(|feed| scope.since(&GroupName::new(feed).unwrap())),
            [1, 2, 3].map(Some)
        );
    }

    #[test]
    fn an_address_names_so_many_feeds_and_what_it_says_of_more_is_as_good_as_not_said() {
        let named: Vec<_> = (0..FEEDS + 8).map(|feed| format!("feed.{feed}:{feed}")).collect();
        let address = format!("since={}&since={}", named[..20].join(","), named[20..].join(","));
        let mut resumed = Scope::new("/ws/", "");
        resumed.resume(named.join(",").as_bytes());
        for scope in [Scope::new("/ws/", &address), resumed] {
            let known = |feed: usize| scope.since(&GroupName::new(format!("feed.{feed}")).unwrap());
            assert!((0..FEEDS).all(|feed| known(feed) == Some(feed as Seq)));
            assert_eq!((known(FEEDS), scope.since.len()), (None, FEEDS));
        }
    }

    #[test]
    fn where_a_stream_was_left_outranks_its_address_and_what_cannot_be_read_is_no_position() {
        let [a, b] = ["a", "b"].map(|name| GroupName::new(name).unwrap());
        for (last, expected) in [
            (&b"a:7,b:9"[..], [Some(7), Some(9)]),
            (b"a:7", [Some(7), None]),
            (b"a:7,b:x", [Some(7), None]),
            (b"nonsense", [None, None]),
            (b"a:-1,b:99999999999999999999", [None, None]),
            (b"a:7,b:9\xff", [None, None]),
        ] {
            let mut scope = Scope::new("/ws/", "since=a:1&since=b:2");
            scope.resume(last);
            assert_eq!(
                [scope.since(&a), scope.since(&b)],
                expected,
                "{}",
                String::from_utf8_lossy(last)
            );
        }
    }
}
