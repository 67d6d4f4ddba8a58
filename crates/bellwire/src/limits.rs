//! Limits: the sizes, rates and timeouts of connections and of the server.

use std::time::Duration;

use crate::rate::Quota;

/// The pings and pongs per second that a socket may send on average.
const HEARTBEATS_PER_SECOND: u32 = 10;

/// The maximum number of feeds whose position a page may send.
pub(crate) const MAX_FEEDS: usize = 32;

/// The limits of each connection. The values of [`Default`] are safe for a public site.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// The maximum size of a frame and of a message from a browser, in bytes. A larger one closes
    /// the socket with 1009.
    pub message_bytes: usize,
    /// The maximum number of frames in one message, so that no message can go on without end. One
    /// more closes the socket with 1008.
    pub fragments: usize,
    /// The maximum length of the path and query of a socket's URI, in bytes. They are kept while
    /// the socket is open. A longer URI is refused with status 414.
    pub uri_bytes: usize,
    /// The maximum number of queued messages per socket. On overflow the queue is dropped: feeds
    /// catch up from their sources, and [`Consumer::lagged`](crate::Consumer::lagged) runs if other
    /// messages were lost.
    pub queue_messages: usize,
    /// The maximum number of queued bytes per socket. Overflow has the same effect.
    pub queue_bytes: usize,
    /// The average number of actions per second that one socket may send. Above it, an action is
    /// answered with an error; if the client continues, the socket is closed with 1008. `None` sets
    /// no limit.
    pub actions_per_second: Option<u32>,
    /// The number of actions that one socket may send at once before the average applies.
    pub action_burst: u32,
    /// The maximum number of open sockets per person, event streams included. One more is refused
    /// with status 429.
    pub sockets_per_person: usize,
    /// The maximum number of open sockets per address, if the site sets the address. One more is
    /// refused with status 429. Many people may share an address, so this limit is a protection
    /// against floods and not a limit on people.
    pub sockets_per_address: usize,
    /// The time for which a person still counts as present after the last socket closed, so that
    /// reloading a page does not count as leaving.
    pub presence_grace: Duration,
    /// The timeout of a handler, measured from its first wait. A handler that exceeds it is dropped
    /// and its connection is closed with 1011.
    pub handler: Duration,
    /// The write timeout: if a client reads nothing for this long while data is pending, the
    /// connection is closed with 1013.
    pub write: Duration,
    /// The idle timeout: a socket that sends nothing for this long, not even a pong, is considered
    /// lost and closed with 1013.
    pub idle: Duration,
    /// The interval at which a silent socket is pinged: less than the 60 s after which proxies
    /// close a silent connection.
    pub ping: Duration,
    /// The timeout for the peer's half of the closing handshake.
    pub close: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            message_bytes: 64 * 1024,
            fragments: 1024,
            // Fits the positions of 32 feeds. More would exceed an idle socket's memory budget.
            uri_bytes: 4 * 1024,
            queue_messages: 256,
            queue_bytes: 1024 * 1024,
            actions_per_second: Some(50),
            action_burst: 200,
            sockets_per_person: 20,
            sockets_per_address: 500,
            presence_grace: Duration::from_secs(4),
            handler: Duration::from_secs(30),
            write: Duration::from_secs(30),
            idle: Duration::from_secs(60),
            ping: Duration::from_secs(25),
            close: Duration::from_secs(2),
        }
    }
}

impl Limits {
    /// The quota of actions per socket; `None` sets no limit.
    pub(crate) fn actions(&self) -> Option<Quota> {
        self.actions_per_second.map(|rate| Quota::per_second(rate, self.action_burst))
    }

    /// The quota of pings and pongs per socket, with the same burst as actions.
    pub(crate) fn heartbeats(&self) -> Option<Quota> {
        self.actions_per_second.map(|_| Quota::per_second(HEARTBEATS_PER_SECOND, self.action_burst))
    }
}

/// The limits of a server's connections, sockets included; see [`serve`](crate::serve()).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServeLimits {
    /// The maximum number of open connections. Further ones wait in the kernel's accept queue.
    pub connections: usize,
    /// The maximum length of a request's head, in bytes. A longer one is answered with 431.
    pub header_bytes: usize,
    /// The timeout for the head of a request, measured from the opening of the connection or from
    /// the last response.
    pub headers: Duration,
    /// The time for which a client may accept no byte of a response. Sockets have their own limit
    /// ([`Limits::write`]) and this one as a last resort, so it must be longer.
    pub response: Duration,
    /// The size of the kernel's send buffer per connection, in bytes. Without a bound it grows to
    /// megabytes for each slow client, and no other limit counts that memory.
    pub send_buffer: usize,
    /// The timeout for requests and sockets to end at a shutdown. After it, the server stops
    /// without them.
    pub shutdown: Duration,
}

impl Default for ServeLimits {
    fn default() -> Self {
        Self {
            connections: 20_000,
            header_bytes: 64 * 1024,
            headers: Duration::from_secs(10),
            // Longer than `Limits::write`, which closes a socket with a code and a reason.
            response: Duration::from_secs(40),
            // Linux doubles it. Enough for 2 MB per second at a round trip of 100 ms.
            send_buffer: 128 * 1024,
            // Less than the 10 s after which process supervisors kill a process.
            shutdown: Duration::from_secs(7),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_rate_there_is_no_quota() {
        let limits = Limits { actions_per_second: None, ..Limits::default() };
        assert_eq!((limits.actions(), limits.heartbeats()), (None, None));
    }
}
