//! How far a socket is in each feed, and what it has to write next.

use crate::outbound::{Body, Delivery, EncodedPatches, Handled};
use crate::transport::Transport;
use crate::{Dialect, GroupName, Seq};

/// How many feeds a socket remembers its place in after leaving them.
const REMEMBERED: usize = 64;

/// How far this socket is in a feed.
pub(crate) struct Subscription {
    pub(crate) feed: GroupName,
    /// The number of the last change that was written; `None` when the page does not know its own.
    pub(crate) position: Option<Seq>,
    /// A number is missing: the consumer has to catch up.
    pub(crate) behind: bool,
    /// The highest number that was seen: catching up has to get there.
    pub(crate) head: Seq,
    /// How often catching up did not get there.
    pub(crate) attempts: u32,
    /// Left, and remembered only for its position.
    left: bool,
}

impl Subscription {
    /// What was read brought this socket to this number. Returns how often in a row that fell short
    /// of what was seen.
    pub(crate) fn note_position(&mut self, seq: Seq) -> u32 {
        self.position = Some(seq);
        self.behind = self.head > seq;
        self.attempts = if self.behind { self.attempts + 1 } else { 0 };
        self.attempts
    }
}

/// What frames are to a socket.
enum Next {
    /// To be written; no feed of its own moves on by them.
    Write,
    /// To be written, and then it is here.
    Reach(Seq),
    /// Had already, or too early.
    Skip,
}

/// The feeds of one socket.
#[derive(Default)]
pub(crate) struct Subscriptions(Vec<Subscription>);

impl Subscriptions {
    /// Follows a feed from `since`, or, if it was followed before, from where it was left.
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

    /// Follows a feed from number `seq`, which the page shows already.
    pub(crate) fn follow_from(&mut self, feed: &GroupName, seq: Seq) {
        self.0.retain(|subscription| subscription.feed != *feed);
        let (feed, position) = (feed.clone(), Some(seq));
        self.add(Subscription { feed, position, behind: false, head: 0, attempts: 0, left: false });
    }

    fn add(&mut self, subscription: Subscription) {
        // Most sockets follow one feed or a few.
        self.0.reserve_exact(1);
        self.0.push(subscription);
    }

    /// Leaves a feed, but remembers the place.
    pub(crate) fn leave(&mut self, feed: &GroupName) {
        if let Some(index) = self.0.iter().position(|subscription| subscription.feed == *feed) {
            // To the end: what was left longest ago is what is forgotten first.
            let subscription = self.0.remove(index);
            self.0.push(Subscription { left: true, behind: false, ..subscription });
        }
        if self.0.iter().filter(|subscription| subscription.left).count() > REMEMBERED
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

    /// A feed that is behind, and where; it counts as caught up with from now on.
    pub(crate) fn catch_up(&mut self) -> Option<(GroupName, Option<Seq>)> {
        let subscription = self.behind()?;
        subscription.behind = false;
        Some((subscription.feed.clone(), subscription.position))
    }

    pub(crate) fn behind(&mut self) -> Option<&mut Subscription> {
        self.0.iter_mut().find(|subscription| subscription.behind)
    }

    /// Feeds what is next to the wire; leaves what is for the consumer.
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
                // A wire that is gone says so at the next flush.
                let _ = transport.write_shared(frame);
            }
            if let Next::Reach(seq) = next {
                transport.note_position(&delivery.group, seq);
            }
        }
        if skipped && self.behind().is_some() { Handled::Stop } else { Handled::Done }
    }

    /// What these frames are to this socket. Moves its position on, or marks the feed as behind.
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
    fn the_places_of_so_many_feeds_that_were_left_are_remembered_and_the_one_left_longest_ago_is_forgotten()
     {
        let mut subscriptions = Subscriptions::default();
        (0..=REMEMBERED).for_each(|number| subscriptions.follow_from(&feed(number), 7));
        // Followed first and left last: the next one to come back to.
        (1..=REMEMBERED).chain([0]).for_each(|number| subscriptions.leave(&feed(number)));
        assert_eq!(subscriptions.0.len(), REMEMBERED);
        assert!(
            (0..=REMEMBERED).all(|number| subscriptions.find(&feed(number)).is_none()),
            "left is left"
        );
        for (number, position) in [(0, Some(7)), (2, Some(7)), (REMEMBERED, Some(7)), (1, None)] {
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
