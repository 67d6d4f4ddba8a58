//! How far a socket is in each feed, and what it has to write next.

use crate::dialect::Dialect;
use crate::layer::{Body, Dealt, Delivery, Frames};
use crate::websocket::Wire;
use crate::{GroupName, Seq};

/// How many feeds a socket remembers its place in after leaving them.
const REMEMBERED: usize = 64;

/// How far this socket is in a feed.
pub(crate) struct Following {
    pub(crate) feed: GroupName,
    /// The number of the last change that was written; `None` when the page does not know its own.
    pub(crate) position: Option<Seq>,
    /// A number is missing: the consumer has to catch up.
    pub(crate) behind: bool,
    /// The highest number that was seen: catching up has to get there.
    pub(crate) wanted: Seq,
    /// How often catching up did not get there.
    pub(crate) tries: u32,
    /// Left, and remembered only for its position.
    left: bool,
}

impl Following {
    /// What was read brought this socket to this number. Returns how often in a row that fell short of what was seen.
    pub(crate) fn reached(&mut self, seq: Seq) -> u32 {
        self.position = Some(seq);
        self.behind = self.wanted > seq;
        self.tries = if self.behind { self.tries + 1 } else { 0 };
        self.tries
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
pub(crate) struct Feeds(Vec<Following>);

impl Feeds {
    /// Follows a feed from `since`, or, if it was followed before, from where it was left.
    pub(crate) fn follow(&mut self, feed: &GroupName, since: Option<Seq>) {
        match self.find_any(feed) {
            Some(following) => {
                following.behind |= std::mem::take(&mut following.left);
            }
            None => {
                let feed = feed.clone();
                self.add(Following { feed, position: since, behind: true, wanted: 0, tries: 0, left: false });
            }
        }
    }

    /// Follows a feed from number `seq`, which the page shows already.
    pub(crate) fn follow_from(&mut self, feed: &GroupName, seq: Seq) {
        self.0.retain(|following| following.feed != *feed);
        let (feed, position) = (feed.clone(), Some(seq));
        self.add(Following { feed, position, behind: false, wanted: 0, tries: 0, left: false });
    }

    fn add(&mut self, following: Following) {
        // Most sockets follow one feed or a few.
        self.0.reserve_exact(1);
        self.0.push(following);
    }

    /// Leaves a feed, but remembers the place.
    pub(crate) fn leave(&mut self, feed: &GroupName) {
        if let Some(index) = self.0.iter().position(|following| following.feed == *feed) {
            // To the end: what was left longest ago is what is forgotten first.
            let following = self.0.remove(index);
            self.0.push(Following { left: true, behind: false, ..following });
        }
        if self.0.iter().filter(|following| following.left).count() > REMEMBERED
            && let Some(oldest) = self.0.iter().position(|following| following.left)
        {
            self.0.remove(oldest);
        }
    }

    pub(crate) fn find(&mut self, feed: &GroupName) -> Option<&mut Following> {
        self.find_any(feed).filter(|following| !following.left)
    }

    fn find_any(&mut self, feed: &GroupName) -> Option<&mut Following> {
        self.0.iter_mut().find(|following| following.feed == *feed)
    }

    /// A feed that is behind, and where; it counts as caught up with from now on.
    pub(crate) fn catch_up(&mut self) -> Option<(GroupName, Option<Seq>)> {
        let following = self.behind()?;
        following.behind = false;
        Some((following.feed.clone(), following.position))
    }

    pub(crate) fn behind(&mut self) -> Option<&mut Following> {
        self.0.iter_mut().find(|following| following.behind)
    }

    /// Feeds what is next to the wire; leaves what is for the consumer.
    pub(crate) fn deal(&mut self, delivery: &Delivery, wire: &mut dyn Wire, dialect: Dialect) -> Dealt {
        let Body::Frames(all) = &delivery.body else { return Dealt::Event };
        let mut skipped = false;
        for frames in all {
            let next = self.next(delivery, frames);
            if let Next::Skip = next {
                skipped = true;
                continue;
            }
            for frame in frames.in_dialect(dialect) {
                // A wire that is gone says so at the next flush.
                let _ = wire.share(frame);
            }
            if let Next::Reach(seq) = next {
                wire.reached(&delivery.group, seq);
            }
        }
        if skipped && self.behind().is_some() { Dealt::Stop } else { Dealt::Done }
    }

    /// What these frames are to this socket. Moves its position on, or marks the feed as behind.
    fn next(&mut self, delivery: &Delivery, frames: &Frames) -> Next {
        let Some(seq) = frames.seq() else { return Next::Write };
        let Some(following) = self.find(&delivery.group) else { return Next::Write };
        following.wanted = following.wanted.max(seq);
        match following.position {
            Some(position) if position.checked_add(1) == Some(seq) => following.position = Some(seq),
            Some(position) if seq <= position => return Next::Skip,
            _ => {
                following.behind = true;
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
    fn the_places_of_so_many_feeds_that_were_left_are_remembered_and_the_one_left_longest_ago_is_forgotten() {
        let mut feeds = Feeds::default();
        (0..=REMEMBERED).for_each(|number| feeds.follow_from(&feed(number), 7));
        // Followed first and left last: the next one to come back to.
        (1..=REMEMBERED).chain([0]).for_each(|number| feeds.leave(&feed(number)));
        assert_eq!(feeds.0.len(), REMEMBERED);
        assert!((0..=REMEMBERED).all(|number| feeds.find(&feed(number)).is_none()), "left is left");
        for (number, position) in [(0, Some(7)), (2, Some(7)), (REMEMBERED, Some(7)), (1, None)] {
            feeds.follow(&feed(number), None);
            let following = feeds.find(&feed(number)).unwrap();
            assert_eq!((following.position, following.behind), (position, true), "feed {number}");
        }
    }
}
