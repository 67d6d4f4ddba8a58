//! How far a socket is in each feed it follows, and what it has to write next.

use crate::dialect::Dialect;
use crate::layer::{Body, Delivery, Frames, Mail};
use crate::websocket::{Outgoing, Wire};
use crate::{GroupName, Seq};

/// How far this socket is in a feed.
pub(crate) struct Following {
    pub(crate) feed: GroupName,
    /// The number of the last change that was written; `None` when the page does not know its own.
    pub(crate) position: Option<Seq>,
    /// A number is missing: the consumer has to catch up.
    pub(crate) behind: bool,
}

/// Feeds what can be fed. Returns whether the wire took it, and the mail when it needs the consumer.
pub(crate) fn deal(
    mail: Mail,
    wire: &mut dyn Wire,
    feeds: &mut [Following],
    dialect: Dialect,
) -> (bool, Option<Mail>) {
    match &mail {
        Mail::Ping => (wire.feed(Outgoing::Ping).is_ok(), None),
        Mail::Delivery(delivery) => match &delivery.body {
            Body::Frames(frames) if is_next(delivery, frames, feeds) => {
                let fed =
                    frames.in_dialect(dialect).iter().all(|f| wire.feed(Outgoing::Text(f.clone())).is_ok());
                (fed, None)
            }
            Body::Frames(_) if feeds.iter().any(|following| following.behind) => (true, Some(mail)),
            Body::Frames(_) => (true, None),
            Body::Event(_) => (true, Some(mail)),
        },
        Mail::Expelled(_) => (true, Some(mail)),
    }
}

/// Whether these frames are what this socket has to write next. Moves its position on, or marks the feed as behind.
fn is_next(delivery: &Delivery, frames: &Frames, feeds: &mut [Following]) -> bool {
    let Some(seq) = frames.seq() else { return true };
    let Some(following) = feeds.iter_mut().find(|following| following.feed == delivery.group) else {
        return true;
    };
    match following.position {
        Some(position) if seq == position + 1 => following.position = Some(seq),
        Some(position) if seq <= position => return false,
        _ => {
            following.behind = true;
            return false;
        }
    }
    true
}
