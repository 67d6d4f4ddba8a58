//! Every queue's size and every wait's end, in one place.

use std::time::Duration;

/// The bounds of each connection. Every field is a setting; [`Default`] is safe before strangers.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// The largest frame and message a browser may send, in bytes. Larger ones close with 1009.
    pub message_bytes: usize,
    /// How many frames one message may come in. Beyond it the socket closes with 1008: a message that never ends is none.
    pub fragments: usize,
    /// How many messages may wait for one socket. Beyond it the queue is dropped and the consumer catches up.
    pub queue_messages: usize,
    /// How many bytes may wait for one socket, with the same consequence.
    pub queue_bytes: usize,
    /// How many actions a second one socket may ask for, on average. Beyond it: an error answer, then 1008.
    /// `None` sets no limit.
    pub actions_per_second: Option<u32>,
    /// How many actions may come at once before the average counts.
    pub action_burst: u32,
    /// How many sockets one person may have open, streams of events included. One more is refused with status 429.
    pub sockets_per_person: usize,
    /// How many sockets one address may have open, where the site says which address it is. One more is refused with
    /// status 429. Many people may share an address, so this is a bound against floods and not against persons.
    pub sockets_per_address: usize,
    /// How long a person whose last socket closed still counts as present. Reloading a page is not leaving.
    pub presence_grace: Duration,
    /// How long a handler may take, from the moment it waits for the first time. Then it is dropped and its connection closed with 1011.
    pub handler: Duration,
    /// How long a reader may accept no byte while something waits for it. Then it is closed with 1013.
    pub write: Duration,
    /// How long a socket may be silent, pongs included. Then it is taken for lost.
    pub idle: Duration,
    /// How often a silent socket is pinged. Less than the 60 s after which proxies cut a silent connection.
    pub ping: Duration,
    /// How long to wait for the other side's half of the closing handshake.
    pub close: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            message_bytes: 64 * 1024,
            fragments: 1024,
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
