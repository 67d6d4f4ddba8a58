//! Presence: the people in each group, independent of their number of sockets.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;

use tokio::sync::broadcast;

use super::batch;
use crate::GroupName;
use crate::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The changes that may be queued for a listener. One that is further behind receives
/// [`PresenceChange::Missed`].
const WAITING: usize = 1024;

/// The people who are present in each group.
///
/// A person with three tabs is one person. Reloading a page is not leaving: a person who returns
/// within [`Limits::presence_grace`](crate::Limits::presence_grace) counts as present throughout.
///
/// Sockets are tracked by [`Socket::track`](crate::Socket::track), until their connection ends.
#[derive(Clone)]
pub struct Presence(Arc<Inner>);

struct Inner {
    groups: Mutex<HashMap<GroupName, People>>,
    changes: broadcast::Sender<PresenceChange>,
}

type People = BTreeMap<Box<str>, Person>;

#[derive(Default)]
struct Person {
    /// The numbers of this person's channels in the group.
    sockets: HashSet<u64>,
    /// The time when the last of them ended, in milliseconds of the process's clock.
    left_at: Option<u64>,
}

/// A change of presence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PresenceChange {
    /// A person's first socket in the group was tracked.
    Arrived {
        /// The group.
        group: GroupName,
        /// The person, by the key given to [`Upgrade::person`](crate::Upgrade::person).
        person: Box<str>,
    },
    /// A person's last socket in the group ended, and the grace period expired.
    Left {
        /// The group.
        group: GroupName,
        /// The person.
        person: Box<str>,
    },
    /// This listener was too slow and lost some changes: read again who is present.
    Missed,
}

/// A stream of all changes of presence from now on, in order.
pub struct PresenceChanges(broadcast::Receiver<PresenceChange>);

impl PresenceChanges {
    /// The next change; `None` if the layer was dropped.
    pub async fn next(&mut self) -> Option<PresenceChange> {
        match self.0.recv().await {
            Ok(change) => Some(change),
            Err(broadcast::error::RecvError::Lagged(_)) => Some(PresenceChange::Missed),
            Err(broadcast::error::RecvError::Closed) => None,
        }
    }
}

impl Presence {
    pub(super) fn new() -> Self {
        Self(Arc::new(Inner { groups: Mutex::default(), changes: broadcast::channel(WAITING).0 }))
    }

    /// The people in the group, by their keys, in the order of the keys.
    pub fn people(&self, group: &GroupName) -> Vec<Box<str>> {
        self.lock().get(group).map(|people| people.keys().cloned().collect()).unwrap_or_default()
    }

    /// The number of people in the group.
    pub fn count(&self, group: &GroupName) -> usize {
        self.lock().get(group).map_or(0, People::len)
    }

    /// Whether this person is in the group.
    pub fn is_present(&self, group: &GroupName, person: &str) -> bool {
        self.lock().get(group).is_some_and(|people| people.contains_key(person))
    }

    /// Subscribes to changes of presence.
    pub fn changes(&self) -> PresenceChanges {
        PresenceChanges(self.0.changes.subscribe())
    }

    pub(crate) fn track(&self, group: &GroupName, person: &str, socket: u64) {
        batch::flush_buffered();
        let mut groups = self.lock();
        let people = groups.entry(group.clone()).or_default();
        let is_new = !people.contains_key(person);
        let entry = people.entry(person.into()).or_default();
        entry.left_at = None;
        entry.sockets.insert(socket);
        if is_new {
            self.notify(PresenceChange::Arrived { group: group.clone(), person: person.into() });
        }
    }

    /// Removes a socket from the group. The person stays present until the grace period expires.
    pub(crate) fn untrack(&self, group: &GroupName, person: &str, socket: u64, now: u64) {
        let mut groups = self.lock();
        if let Some(entry) = groups.get_mut(group).and_then(|people| people.get_mut(person)) {
            entry.sockets.remove(&socket);
            if entry.sockets.is_empty() {
                entry.left_at = Some(now);
            }
        }
    }

    /// Removes people who have had no socket for `grace` milliseconds.
    pub(crate) fn sweep(&self, now: u64, grace: u64) {
        let mut groups = self.lock();
        groups.retain(|group, people| {
            people.retain(|person, entry| {
                let stays = entry.left_at.is_none_or(|left| now.saturating_sub(left) < grace);
                if !stays {
                    self.notify(PresenceChange::Left {
                        group: group.clone(),
                        person: person.clone(),
                    });
                }
                stays
            });
            !people.is_empty()
        });
    }

    // Called under the lock, so that all listeners receive the changes in order.
    fn notify(&self, change: PresenceChange) {
        // Fails only if there is no listener.
        let _ = self.0.changes.send(change);
    }

    // A panic while the lock was held leaves a valid list of people.
    fn lock(&self) -> MutexGuard<'_, HashMap<GroupName, People>> {
        self.0.groups.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Presence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Presence").field("groups", &self.lock().len()).finish()
    }
}

impl fmt::Debug for PresenceChanges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PresenceChanges")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn room() -> GroupName {
        GroupName::of("room", 1)
    }

    fn received(changes: &mut PresenceChanges) -> Vec<&'static str> {
        let name = |change| match change {
            PresenceChange::Arrived { .. } => "arrived",
            PresenceChange::Left { .. } => "left",
            PresenceChange::Missed => "missed",
        };
        std::iter::from_fn(|| changes.0.try_recv().ok()).map(name).collect()
    }

    #[test]
    fn a_person_with_three_tabs_is_present_once_and_leaves_with_the_last() {
        let presence = Presence::new();
        let mut changes = presence.changes();
        (1..=3).for_each(|socket| presence.track(&room(), "ada", socket));
        presence.track(&room(), "ben", 4);
        assert_eq!(presence.people(&room()), ["ada".into(), "ben".into()]);
        presence.untrack(&room(), "ada", 1, 0);
        presence.untrack(&room(), "ada", 2, 0);
        presence.sweep(100_000, 1000);
        assert_eq!(
            (presence.count(&room()), received(&mut changes)),
            (2, vec!["arrived", "arrived"])
        );
        presence.untrack(&room(), "ada", 3, 100_000);
        presence.sweep(101_000, 1000);
        assert!(!presence.is_present(&room(), "ada") && presence.is_present(&room(), "ben"));
        assert_eq!(received(&mut changes), ["left"]);
    }

    #[test]
    fn a_person_who_returns_within_the_grace_period_never_leaves() {
        let presence = Presence::new();
        let mut changes = presence.changes();
        presence.track(&room(), "ada", 1);
        presence.untrack(&room(), "ada", 1, 0);
        presence.sweep(999, 1000);
        assert!(presence.is_present(&room(), "ada"), "still within the grace period");
        presence.track(&room(), "ada", 2);
        presence.sweep(5000, 1000);
        assert_eq!(received(&mut changes), ["arrived"]);
    }

    #[tokio::test]
    async fn a_listener_too_far_behind_receives_missed_once_and_then_the_rest() {
        let presence = Presence::new();
        let (mut quick, mut slow) = (presence.changes(), presence.changes());
        let arrive = |socket: usize| presence.track(&room(), &socket.to_string(), socket as u64);
        (0..WAITING).for_each(arrive);
        for _ in 0..WAITING {
            assert!(
                matches!(quick.next().await, Some(PresenceChange::Arrived { .. })),
                "as many changes as the limit are queued"
            );
        }
        (WAITING..WAITING + 3).for_each(arrive);
        assert_eq!(slow.next().await, Some(PresenceChange::Missed));
        assert_eq!(received(&mut slow).len(), WAITING);
        assert_eq!(received(&mut quick), ["arrived"; 3], "other listeners miss nothing");
        assert_eq!(presence.count(&room()), WAITING + 3, "the list of people is complete");
    }

    #[test]
    fn an_empty_group_is_removed() {
        let presence = Presence::new();
        presence.track(&room(), "ada", 1);
        presence.untrack(&room(), "ada", 1, 0);
        presence.sweep(1000, 1000);
        assert!(presence.lock().is_empty());
    }
}
