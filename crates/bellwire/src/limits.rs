//! Every queue's size and every wait's end, in one place.

use std::time::Duration;

use crate::rate::Quota;

/// Pings and pongs a second that any socket may send on average.
const HEARTBEATS_PER_SECOND: u32 = 10;

/// The bounds of each connection. Every field is a setting; [`Default`] is safe before strangers.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// The largest frame and message a browser may send, in bytes. Larger ones close with 1009.
    pub message_bytes: usize,
    /// How many frames one message may come in. Beyond it the socket closes with 1008: a message
    /// that never ends is none.
    pub fragments: usize,
    /// The length of the path and query of a socket's address, in bytes, which are kept as long as
    /// it is open. A longer address is refused with status 414.
    pub uri_bytes: usize,
    /// How many messages may wait for one socket. Beyond it the queue is dropped and the consumer
    /// catches up.
    pub queue_messages: usize,
    /// How many bytes may wait for one socket, with the same consequence.
    pub queue_bytes: usize,
    /// How many actions a second one socket may ask for, on average. Beyond it: an error answer,
    /// then 1008. `None` sets no limit.
    pub actions_per_second: Option<u32>,
    /// How many actions may come at once before the average counts.
    pub action_burst: u32,
    /// How many sockets one person may have open, streams of events included. One more is refused
    /// with status 429.
    pub sockets_per_person: usize,
    /// How many sockets one address may have open, where the site says which address it is. One
    /// more is refused with status 429. Many people may share an address, so this is a bound
    /// against floods and not against persons.
    pub sockets_per_address: usize,
    /// How long a person whose last socket closed still counts as present. Reloading a page is not
    /// leaving.
    pub presence_grace: Duration,
    /// How long a handler may take, from the moment it waits for the first time. Then it is dropped
    /// and its connection closed with 1011.
    pub handler: Duration,
    /// How long a reader may accept no byte while something waits for it. Then it is closed with
    /// 1013.
    pub write: Duration,
    /// How long a socket may be silent, pongs included. Then it is taken for lost.
    pub idle: Duration,
    /// How often a silent socket is pinged. Less than the 60 s after which proxies cut a silent
    /// connection.
    pub ping: Duration,
    /// How long to wait for the other side's half of the closing handshake.
    pub close: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            message_bytes: 64 * 1024,
            fragments: 1024,
            // Room for the positions of 32 feeds; more would exceed what an idle socket may take.
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
    /// The quota of actions of one socket; `None` sets no limit.
    pub(crate) fn actions(&self) -> Option<Quota> {
        self.actions_per_second.map(|rate| Quota::per_second(rate, self.action_burst))
    }

    /// The quota of pings and pongs of one socket; as many at once as actions.
    pub(crate) fn heartbeats(&self) -> Option<Quota> {
        self.actions_per_second.map(|_| Quota::per_second(HEARTBEATS_PER_SECOND, self.action_burst))
    }
}

/// The bounds of a server's connections, sockets included; see [`serve`](crate::serve()).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServeLimits {
    /// The connections served at once; the next ones wait in the kernel's queue.
    pub connections: usize,
    /// The length of a request's head, in bytes. A longer one is answered with 431.
    pub header_bytes: usize,
    /// The time for the head of a request, from the opening of the connection or the last answer
    /// on.
    pub headers: Duration,
    /// The time in which a reader has to take any byte of an answer. Sockets have their own limit
    /// ([`Limits::write`]), and this one as the last resort: it has to be longer.
    pub response: Duration,
    /// The bytes that the kernel may keep of what was written and not taken yet. Without a bound it
    /// grows to megabytes for each slow reader, beyond the reach of other limits.
    pub send_buffer: usize,
    /// The time for requests and sockets to end at a shutdown. Then the server ends without them.
    pub shutdown: Duration,
}

impl Default for ServeLimits {
    fn default() -> Self {
        Self {
            connections: 20_000,
            header_bytes: 64 * 1024,
            headers: Duration::from_secs(10),
            // Longer than `Limits::write`, which says why it closes a socket.
            response: Duration::from_secs(40),
            // Linux doubles it. Enough for 2 MB a second at a distance of 100 ms.
            send_buffer: 128 * 1024,
            // Less than the 10 s after which supervisors kill a process.
            shutdown: Duration::from_secs(7),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_rate_everything_is_allowed() {
        let limits = Limits { actions_per_second: None, ..Limits::default() };
        assert_eq!((limits.actions(), limits.heartbeats()), (None, None));
    }
}
