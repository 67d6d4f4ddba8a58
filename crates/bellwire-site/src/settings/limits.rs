//! The environment variables of the framework's limits.

use std::ops::RangeInclusive;
use std::time::Duration;

use bellwire::Limits;
use bellwire_web::settings::{SECONDS, whole_number};
use clap::Args;

/// The valid range of a size in bytes, up to a sensible maximum for a message.
const BYTES: RangeInclusive<u64> = 1024..=64 * 1024 * 1024;
/// The valid range of a count.
const MANY: RangeInclusive<u64> = 1..=1_000_000;

/// The environment variables of the framework's limits, as clap arguments.
#[derive(Debug, Clone, Args)]
pub(super) struct LimitArgs {
    /// Maximum bytes of a frame and of a message from a browser; beyond it the socket closes with
    /// 1009
    #[arg(
        long, env = "BELLWIRE_MESSAGE_BYTES", default_value_t = Limits::default().message_bytes,
        value_parser = whole_number::<usize>(BYTES)
    )]
    message_bytes: usize,
    /// Maximum frames of one message; beyond it the socket closes with 1008
    #[arg(
        long, env = "BELLWIRE_FRAGMENTS", default_value_t = Limits::default().fragments,
        value_parser = whole_number::<usize>(MANY)
    )]
    fragments: usize,
    /// Maximum bytes of the path and query of a socket's address; a longer one is refused with 414
    #[arg(
        long, env = "BELLWIRE_ADDRESS_BYTES", default_value_t = Limits::default().uri_bytes,
        value_parser = whole_number::<usize>(256..=64 * 1024)
    )]
    address_bytes: usize,
    /// Average actions per second of one socket; beyond it an error answer, later close code 1008.
    /// 0: no limit
    #[arg(
        long, env = "BELLWIRE_ACTIONS_PER_SECOND", default_value_t = Limits::default().actions_per_second.unwrap_or(0),
        value_parser = whole_number::<u32>(0..=1_000_000)
    )]
    actions_per_second: u32,
    /// Maximum burst of actions of one socket
    #[arg(
        long, env = "BELLWIRE_ACTION_BURST", default_value_t = Limits::default().action_burst,
        value_parser = whole_number::<u32>(MANY)
    )]
    action_burst: u32,
    /// Maximum sockets of one person; one more is refused with 429
    #[arg(
        long, env = "BELLWIRE_SOCKETS_PER_PERSON", default_value_t = Limits::default().sockets_per_person,
        value_parser = whole_number::<usize>(MANY)
    )]
    sockets_per_person: usize,
    /// Maximum sockets from one address; one more is refused with 429
    #[arg(
        long, env = "BELLWIRE_SOCKETS_PER_ADDRESS", default_value_t = Limits::default().sockets_per_address,
        value_parser = whole_number::<usize>(MANY)
    )]
    sockets_per_address: usize,
    /// Maximum queued messages of one socket; beyond it the socket catches up from the database
    #[arg(
        long, env = "BELLWIRE_QUEUE_MESSAGES", default_value_t = Limits::default().queue_messages,
        value_parser = whole_number::<usize>(MANY)
    )]
    queue_messages: usize,
    /// Maximum queued bytes of one socket; beyond it the socket catches up from the database
    #[arg(
        long, env = "BELLWIRE_QUEUE_BYTES", default_value_t = Limits::default().queue_bytes,
        value_parser = whole_number::<usize>(BYTES)
    )]
    queue_bytes: usize,
    /// Timeout of one handler in seconds; then it is dropped, and its socket closes with 1011
    #[arg(
        long, env = "BELLWIRE_HANDLER_SECONDS", default_value_t = Limits::default().handler.as_secs(),
        value_parser = whole_number::<u64>(SECONDS)
    )]
    handler_seconds: u64,
    /// Seconds without write progress while data is queued; then the socket closes with 1013
    #[arg(
        long, env = "BELLWIRE_WRITE_SECONDS", default_value_t = Limits::default().write.as_secs(),
        value_parser = whole_number::<u64>(SECONDS)
    )]
    write_seconds: u64,
    /// Seconds without any frame from a socket, pongs included; then the connection is considered
    /// lost
    #[arg(
        long, env = "BELLWIRE_IDLE_SECONDS", default_value_t = Limits::default().idle.as_secs(),
        value_parser = whole_number::<u64>(SECONDS)
    )]
    idle_seconds: u64,
    /// Seconds without any frame after which a socket is pinged
    #[arg(
        long, env = "BELLWIRE_PING_SECONDS", default_value_t = Limits::default().ping.as_secs(),
        value_parser = whole_number::<u64>(SECONDS)
    )]
    ping_seconds: u64,
    /// Seconds to wait for the peer's half of a closing handshake
    #[arg(
        long, env = "BELLWIRE_CLOSE_SECONDS", default_value_t = Limits::default().close.as_secs(),
        value_parser = whole_number::<u64>(SECONDS)
    )]
    close_seconds: u64,
    /// Seconds for which a person still counts as present after their last socket closed
    #[arg(
        long, env = "BELLWIRE_PRESENCE_SECONDS", default_value_t = Limits::default().presence_grace.as_secs(),
        value_parser = whole_number::<u64>(SECONDS)
    )]
    presence_seconds: u64,
}

impl LimitArgs {
    /// The limits of every socket.
    pub(super) fn limits(&self) -> Limits {
        Limits {
            message_bytes: self.message_bytes,
            fragments: self.fragments,
            uri_bytes: self.address_bytes,
            actions_per_second: Some(self.actions_per_second).filter(|most| *most > 0),
            action_burst: self.action_burst,
            sockets_per_person: self.sockets_per_person,
            sockets_per_address: self.sockets_per_address,
            queue_messages: self.queue_messages,
            queue_bytes: self.queue_bytes,
            handler: Duration::from_secs(self.handler_seconds),
            write: Duration::from_secs(self.write_seconds),
            idle: Duration::from_secs(self.idle_seconds),
            ping: Duration::from_secs(self.ping_seconds),
            close: Duration::from_secs(self.close_seconds),
            presence_grace: Duration::from_secs(self.presence_seconds),
        }
    }
}
