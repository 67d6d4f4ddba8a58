//! The feeds that a socket follows, with its position in each, and the decision which of their
//! frames to write. The groups that it joined are in `consumer/socket.rs`.

use crate::outbound::{Body, Delivery, EncodedPatches, Handled};
use crate::transport::Transport;
use crate::{Dialect, GroupName, Seq};

/// The feeds whose positions a socket keeps after leaving them.
const KEPT_POSITIONS: usize = 64;

/// A socket's subscription to a feed.
pub(crate) struct Subscription {
    pub(crate) feed: GroupName,
    /// The number of the last change written; `None` if the page does not know its position.
    pub(crate) position: Option<Seq>,
    /// Whether a number is missing, so that the consumer has to catch up.
    pub(crate) behind: bool,
    /// The highest number published, which catching up has to reach.
    pub(crate) head: Seq,
    /// The consecutive attempts to catch up that did not reach it.
    pub(crate) attempts: u32,
    /// Whether the feed was left, and is kept only for its position.
    left: bool,
}

impl Subscription {
    /// Records that catching up reached this number. Returns the consecutive attempts that did not
    /// reach the head.
    pub(crate) fn note_position(&mut self, seq: Seq) -> u32 {
        self.position = Some(seq);
        self.behind = self.head > seq;
        self.attempts = if self.behind { self.attempts + 1 } else { 0 };
        self.attempts
    }
}

/// The treatment of frames by a socket.
enum Next {
    /// Write them; no subscription advances.
    Write,
    /// Write them; the subscription advances to this number.
    Reach(Seq),
    /// Skip them: written already, or a number before them is missing.
    Skip,
}

/// The subscriptions of one socket.
#[derive(Default)]
pub(crate) struct Subscriptions(Vec<Subscription>);

impl Subscriptions {
    /// Subscribes to a feed from `since`, or from the kept position if there is one.
    pub(crate) fn follow(&mut self, feed: &GroupName, since: Option<Seq>) {
        match self.find_any(feed) {
            Some(subscription) => {
                subscription.behind |= std::mem::take(&mut subscription.left);
            }
            None => {
                let feed = feed.clone();
                self.add(Subscription {
                    feed,
                    position: since,
                    behind: true,
                    head: 0,
                    attempts: 0,
                    left: false,
                });
            }
        }
    }

    /// Subscribes to a feed from number `seq`, which the page shows already.
    pub(crate) fn follow_from(&mut self, feed: &GroupName, seq: Seq) {
        self.0.retain(|subscription| subscription.feed != *feed);
        let (feed, position) = (feed.clone(), Some(seq));
        self.add(Subscription { feed, position, behind: false, head: 0, attempts: 0, left: false });
    }

    fn add(&mut self, subscription: Subscription) {
        // Most sockets have one subscription, or a few.
        self.0.reserve_exact(1);
        self.0.push(subscription);
    }

    /// Ends the subscription to a feed, but keeps its position.
    pub(crate) fn leave(&mut self, feed: &GroupName) {
        if let Some(index) = self.0.iter().position(|subscription| subscription.feed == *feed) {
            // Moved to the end: the position of the feed left longest ago is dropped first.
            let subscription = self.0.remove(index);
            self.0.push(Subscription { left: true, behind: false, ..subscription });
        }
        if self.0.iter().filter(|subscription| subscription.left).count() > KEPT_POSITIONS
            && let Some(oldest) = self.0.iter().position(|subscription| subscription.left)
        {
            self.0.remove(oldest);
        }
    }

    pub(crate) fn find(&mut self, feed: &GroupName) -> Option<&mut Subscription> {
        self.find_any(feed).filter(|subscription| !subscription.left)
    }

    fn find_any(&mut self, feed: &GroupName) -> Option<&mut Subscription> {
        self.0.iter_mut().find(|subscription| subscription.feed == *feed)
    }

    /// Takes a feed that is behind, with its position; the feed is no longer marked as behind. The
    /// caller catches up.
    pub(crate) fn take_behind(&mut self) -> Option<(GroupName, Option<Seq>)> {
        let subscription = self.behind()?;
        subscription.behind = false;
        Some((subscription.feed.clone(), subscription.position))
    }

    pub(crate) fn behind(&mut self) -> Option<&mut Subscription> {
        self.0.iter_mut().find(|subscription| subscription.behind)
    }

    /// Writes the frames of a delivery to the transport; leaves events to the consumer.
    pub(crate) fn handle(
        &mut self,
        delivery: &Delivery,
        transport: &mut dyn Transport,
        dialect: Dialect,
    ) -> Handled {
        let Body::Frames(all) = &delivery.body else { return Handled::Event };
        let mut skipped = false;
        for frames in all {
            let next = self.next(delivery, frames);
            if let Next::Skip = next {
                skipped = true;
                continue;
            }
            for frame in frames.in_dialect(dialect) {
                // A lost transport reports its error at the next flush.
                let _ = transport.write_shared(frame);
            }
            if let Next::Reach(seq) = next {
                transport.note_position(&delivery.group, seq);
            }
        }
        if skipped && self.behind().is_some() { Handled::Stop } else { Handled::Done }
    }

    /// Decides how to treat these frames. Advances the subscription, or marks it as behind.
    fn next(&mut self, delivery: &Delivery, frames: &EncodedPatches) -> Next {
        let Some(seq) = frames.seq() else { return Next::Write };
        let Some(subscription) = self.find(&delivery.group) else { return Next::Write };
        subscription.head = subscription.head.max(seq);
        match subscription.position {
            Some(position) if position.checked_add(1) == Some(seq) => {
                subscription.position = Some(seq)
            }
            Some(position) if seq <= position => return Next::Skip,
            _ => {
                subscription.behind = true;
                return Next::Skip;
            }
        }
        Next::Reach(seq)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn feed(number: usize) -> GroupName {
        GroupName::new(format!("feed.{number}")).unwrap()
    }

    #[test]
    fn the_positions_of_the_64_feeds_left_last_are_kept() {
        let mut subscriptions = Subscriptions::default();
        (0..=KEPT_POSITIONS).for_each(|number| subscriptions.follow_from(&feed(number), 7));
        // Feed 0 is followed first and left last, so its position is kept.
        (1..=KEPT_POSITIONS).chain([0]).for_each(|number| subscriptions.leave(&feed(number)));
        assert_eq!(subscriptions.0.len(), KEPT_POSITIONS);
        assert!(
            (0..=KEPT_POSITIONS).all(|number| subscriptions.find(&feed(number)).is_none()),
            "a feed that was left is not subscribed"
        );
        for (number, position) in [(0, Some(7)), (2, Some(7)), (KEPT_POSITIONS, Some(7)), (1, None)]
        {
            subscriptions.follow(&feed(number), None);
            let subscription = subscriptions.find(&feed(number)).unwrap();
            assert_eq!(
                (subscription.position, subscription.behind),
                (position, true),
                "feed {number}"
            );
        }
    }
}
