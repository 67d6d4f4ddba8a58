//! The feeds that a socket follows, with its position in each, and the decision which of their
//! frames to write. The groups that it joined are in `consumer/raw_socket.rs`.

use std::sync::Arc;

use crate::GroupName;
use crate::feed::ErasedSource;
use crate::outbound::{Body, Delivery, EncodedPatches, Handled, Reader};
use crate::position::{Epoch, FeedPosition, Position, Seq};
use crate::transport::Transport;

/// The feeds whose positions a socket keeps after leaving them.
const KEPT_POSITIONS: usize = 64;

/// A socket's subscription to a feed.
pub(crate) struct Subscription {
    pub(crate) feed: GroupName,
    source: Arc<dyn ErasedSource>,
    /// The last change written; `None` if the page does not know its position.
    position: Option<FeedPosition>,
    /// Whether a number is missing, so that it has to be read from the source.
    pub(crate) behind: bool,
    /// The highest number published, which catching up has to reach.
    head: Seq,
    /// The consecutive attempts to catch up that did not reach it.
    attempts: u32,
    /// Whether the feed was left, and is kept only for its position.
    left: bool,
}

impl Subscription {
    /// Records that catching up reached this number, in the current epoch. Returns the consecutive
    /// attempts that did not reach the head.
    pub(crate) fn note_position(&mut self, seq: Seq, epoch: Epoch) -> u32 {
        self.position = Some(FeedPosition { epoch, seq });
        self.behind = self.head > seq;
        self.attempts = if self.behind { self.attempts + 1 } else { 0 };
        self.attempts
    }
}

/// The treatment of frames by a socket.
enum Next {
    /// Write them; no subscription advances.
    Write,
    /// Write them; the subscription advances.
    Advance,
    /// Skip them: written already, or a number before them is missing.
    Skip,
}

/// A feed that is behind: what has to be read for it.
pub(crate) struct Behind {
    pub(crate) feed: GroupName,
    pub(crate) since: Option<FeedPosition>,
    /// The highest number published.
    pub(crate) head: Seq,
    pub(crate) source: Arc<dyn ErasedSource>,
}

/// The subscriptions of one socket.
#[derive(Default)]
pub(crate) struct Subscriptions(Vec<Subscription>);

impl Subscriptions {
    /// Subscribes to a feed from `since`, or from the kept position if there is one.
    pub(crate) fn follow(
        &mut self,
        feed: &GroupName,
        since: Option<FeedPosition>,
        source: Arc<dyn ErasedSource>,
    ) {
        match self.find_any(feed) {
            Some(subscription) => {
                subscription.behind |= std::mem::take(&mut subscription.left);
                subscription.source = source;
            }
            None => self.add(feed, since, source, true),
        }
    }

    /// Subscribes to a feed from a position that the page shows already.
    pub(crate) fn follow_from(
        &mut self,
        feed: &GroupName,
        position: FeedPosition,
        source: Arc<dyn ErasedSource>,
    ) {
        self.0.retain(|subscription| subscription.feed != *feed);
        self.add(feed, Some(position), source, false);
    }

    fn add(
        &mut self,
        feed: &GroupName,
        position: Option<FeedPosition>,
        source: Arc<dyn ErasedSource>,
        behind: bool,
    ) {
        let (feed, left) = (feed.clone(), false);
        // Most sockets have one subscription, or a few.
        self.0.reserve_exact(1);
        self.0.push(Subscription { feed, source, position, behind, head: 0, attempts: 0, left });
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

    /// Takes a feed that is behind; the feed is no longer marked as behind. The caller catches up.
    pub(crate) fn take_behind(&mut self) -> Option<Behind> {
        let subscription = self.behind()?;
        subscription.behind = false;
        Some(Behind {
            feed: subscription.feed.clone(),
            since: subscription.position,
            head: subscription.head,
            source: subscription.source.clone(),
        })
    }

    pub(crate) fn behind(&mut self) -> Option<&mut Subscription> {
        self.0.iter_mut().find(|subscription| subscription.behind)
    }

    /// Writes the frames of a delivery to the transport; leaves events to the consumer.
    pub(crate) fn handle(
        &mut self,
        delivery: &Delivery,
        transport: &mut dyn Transport,
        reader: &Reader,
    ) -> Handled {
        let Body::Frames(all) = &delivery.body else { return Handled::Event };
        let mut skipped = false;
        for frames in all {
            let next = self.next(delivery, frames);
            if let Next::Skip = next {
                skipped = true;
                continue;
            }
            frames.for_each_frame(reader.dialect, reader.audience.as_ref(), |frame| {
                // A lost transport reports its error at the next flush.
                let _ = transport.write_shared(frame);
            });
            if let (Next::Advance, Some(position)) = (next, frames.position()) {
                transport.note_position(position);
            }
        }
        if skipped && self.behind().is_some() { Handled::Stop } else { Handled::Done }
    }

    /// Decides how to treat these frames. Advances the subscription, or marks it as behind.
    fn next(&mut self, delivery: &Delivery, frames: &EncodedPatches) -> Next {
        let Some(&Position { at, .. }) = frames.position() else { return Next::Write };
        let Some(subscription) = self.find(&delivery.group) else {
            return if frames.is_hint() { Next::Skip } else { Next::Write };
        };
        subscription.head = subscription.head.max(at.seq);
        match subscription.position {
            // Numbers of another epoch cannot be compared.
            Some(position) if position.epoch != at.epoch => {
                subscription.head = at.seq;
                subscription.behind = true;
                return Next::Skip;
            }
            Some(position) if at.seq <= position.seq => return Next::Skip,
            Some(position) if position.seq.checked_add(1) == Some(at.seq) && !frames.is_hint() => {
                subscription.position = Some(at);
            }
            _ => {
                subscription.behind = true;
                return Next::Skip;
            }
        }
        Next::Advance
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn feed(number: usize) -> GroupName {
        GroupName::new(format!("feed.{number}")).unwrap()
    }

    fn at(seq: Seq) -> FeedPosition {
        FeedPosition { epoch: Epoch::from_number(1).unwrap(), seq }
    }

    fn source() -> Arc<dyn ErasedSource> {
        Arc::new(crate::feed::Journal::new(1))
    }

    #[test]
    fn the_positions_of_the_64_feeds_left_last_are_kept() {
        let mut subscriptions = Subscriptions::default();
        (0..=KEPT_POSITIONS)
            .for_each(|number| subscriptions.follow_from(&feed(number), at(7), source()));
        // Feed 0 is followed first and left last, so its position is kept.
        (1..=KEPT_POSITIONS).chain([0]).for_each(|number| subscriptions.leave(&feed(number)));
        assert_eq!(subscriptions.0.len(), KEPT_POSITIONS);
        assert!(
            (0..=KEPT_POSITIONS).all(|number| subscriptions.find(&feed(number)).is_none()),
            "a feed that was left is not subscribed"
        );
        let seven = Some(at(7));
        for (number, position) in [(0, seven), (2, seven), (KEPT_POSITIONS, seven), (1, None)] {
            subscriptions.follow(&feed(number), None, source());
            let subscription = subscriptions.find(&feed(number)).unwrap();
            assert_eq!(
                (subscription.position, subscription.behind),
                (position, true),
                "feed {number}"
            );
        }
    }
}
