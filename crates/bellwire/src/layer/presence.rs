//! Presence: the people in each group, independent of their number of sockets.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::sync::broadcast;

use super::batch;
use crate::coalescer::Coalescer;
use crate::sync::{Arc, Mutex, MutexGuard, PoisonError};
use crate::topic::Named;
use crate::{Error, GroupName};

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
    /// The facts that were given last.
    facts: Arc<Value>,
    /// The time when the last of them ended, in milliseconds of the process's clock.
    left_at: Option<u64>,
}

/// A person who is present in a group.
#[derive(Debug, Clone, PartialEq)]
pub struct Present {
    /// The key given to [`Live::person`](crate::Live::person).
    pub person: Box<str>,
    facts: Arc<Value>,
}

impl Present {
    /// The facts given to [`Socket::track_as`](crate::Socket::track_as).
    ///
    /// # Errors
    /// If there are none, or facts of another type.
    pub fn facts<T: DeserializeOwned>(&self) -> Result<T, Error> {
        Ok(T::deserialize(&*self.facts)?)
    }
}

/// A change of presence.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum PresenceChange {
    /// A person's first socket in the group was tracked, or the facts about a person have changed.
    Arrived {
        /// The group.
        group: GroupName,
        /// The person.
        who: Present,
    },
    /// A person's last socket in the group ended, and the grace period expired.
    Left {
        /// The group.
        group: GroupName,
        /// The key of the person.
        person: Box<str>,
    },
    /// This listener was too slow and lost some changes: read again who is present.
    Missed,
}

/// The changes of a group over an interval. A person is in one of both lists at most: what came last
/// counts.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PresenceDifference {
    /// The people who arrived, or whose facts have changed.
    pub arrived: Vec<Present>,
    /// The keys of the people who left.
    pub left: Vec<Box<str>>,
}

impl PresenceDifference {
    fn add(&mut self, change: PresenceChange) {
        let (arrived, left) = match change {
            PresenceChange::Arrived { who, .. } => (Some(who), None),
            PresenceChange::Left { person, .. } => (None, Some(person)),
            PresenceChange::Missed => (None, None),
        };
        let Some(person) = arrived.as_ref().map(|who| who.person.clone()).or(left.clone()) else {
            return;
        };
        self.arrived.retain(|known| known.person != person);
        self.left.retain(|known| *known != person);
        self.arrived.extend(arrived);
        self.left.extend(left);
    }
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

    /// Gathers the changes of each group and calls `tell` with them, at most once per interval and
    /// group, so that a thousand people who return after a restart cost a few calls. Runs until the
    /// layer is dropped.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use bellwire::{Html, Layer, Patch, Topic};
    /// const ROOM: Topic<u32> = Topic::new("room");
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let layer = Layer::memory();
    /// let changes = layer.presence().changes();
    /// tokio::spawn(changes.gather(Duration::from_millis(200), move |group, _| {
    ///     if let Some(room) = ROOM.id_of(&group) {
    ///         let count = layer.presence().count(&group).to_string();
    ///         layer.group(ROOM.of(room)).patch(Patch::inner("#present", Html::text(&count)));
    ///     }
    ///     std::future::ready(())
    /// }));
    /// # }
    /// ```
    pub async fn gather<F>(
        mut self,
        interval: Duration,
        tell: impl Fn(GroupName, PresenceDifference) -> F + Send + Sync + 'static,
    ) where
        F: Future<Output = ()> + Send + 'static,
    {
        let (gathered, tell) = (Coalescer::trailing(interval), std::sync::Arc::new(tell));
        while let Some(change) = self.next().await {
            let group = match &change {
                PresenceChange::Arrived { group, .. } | PresenceChange::Left { group, .. } => {
                    group.clone()
                }
                // The next change of a group tells of those that were missed before.
                PresenceChange::Missed => continue,
            };
            let (tell, name) = (tell.clone(), group.clone());
            gathered.put(
                group,
                move |difference: &mut PresenceDifference| difference.add(change),
                move |difference| tell(name.clone(), difference),
            );
        }
    }
}

impl Presence {
    pub(super) fn new() -> Self {
        Self(Arc::new(Inner { groups: Mutex::default(), changes: broadcast::channel(WAITING).0 }))
    }

    /// The keys of the people in the group, in their order.
    pub fn people(&self, group: impl Named) -> Vec<Box<str>> {
        let groups = self.lock();
        let people = groups.get(group.group_name());
        people.map(|people| people.keys().cloned().collect()).unwrap_or_default()
    }

    /// The people in the group with the facts about them, in the order of their keys.
    pub fn list(&self, group: impl Named) -> Vec<Present> {
        let groups = self.lock();
        let Some(people) = groups.get(group.group_name()) else { return Vec::new() };
        let present = people
            .iter()
            .map(|(person, entry)| Present { person: person.clone(), facts: entry.facts.clone() });
        present.collect()
    }

    /// The number of people in the group.
    pub fn count(&self, group: impl Named) -> usize {
        self.lock().get(group.group_name()).map_or(0, People::len)
    }

    /// Whether this person is in the group.
    pub fn is_present(&self, group: impl Named, person: &str) -> bool {
        self.lock().get(group.group_name()).is_some_and(|people| people.contains_key(person))
    }

    /// Subscribes to changes of presence.
    pub fn changes(&self) -> PresenceChanges {
        PresenceChanges(self.0.changes.subscribe())
    }

    pub(crate) fn track(&self, group: &GroupName, person: &str, socket: u64, facts: Option<Value>) {
        batch::flush_buffered();
        let mut groups = self.lock();
        let people = groups.entry(group.clone()).or_default();
        let is_new = !people.contains_key(person);
        let entry = people.entry(person.into()).or_default();
        entry.left_at = None;
        entry.sockets.insert(socket);
        let changed = facts.filter(|facts| *facts != *entry.facts);
        let has_changed = changed.is_some();
        if let Some(facts) = changed {
            entry.facts = Arc::new(facts);
        }
        if is_new || has_changed {
            let who = Present { person: person.into(), facts: entry.facts.clone() };
            self.notify(PresenceChange::Arrived { group: group.clone(), who });
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
        GroupName::new("room").unwrap()
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
        (1..=3).for_each(|socket| presence.track(&room(), "ada", socket, None));
        presence.track(&room(), "ben", 4, None);
        assert_eq!(presence.people(room()), ["ada".into(), "ben".into()]);
        presence.untrack(&room(), "ada", 1, 0);
        presence.untrack(&room(), "ada", 2, 0);
        presence.sweep(100_000, 1000);
        assert_eq!(
            (presence.count(room()), received(&mut changes)),
            (2, vec!["arrived", "arrived"])
        );
        presence.untrack(&room(), "ada", 3, 100_000);
        presence.sweep(101_000, 1000);
        assert!(!presence.is_present(room(), "ada") && presence.is_present(room(), "ben"));
        assert_eq!(received(&mut changes), ["left"]);
    }

    #[test]
    fn a_person_who_returns_within_the_grace_period_never_leaves() {
        let presence = Presence::new();
        let mut changes = presence.changes();
        presence.track(&room(), "ada", 1, None);
        presence.untrack(&room(), "ada", 1, 0);
        presence.sweep(999, 1000);
        assert!(presence.is_present(room(), "ada"), "still within the grace period");
        presence.track(&room(), "ada", 2, None);
        presence.sweep(5000, 1000);
        assert_eq!(received(&mut changes), ["arrived"]);
    }

    #[tokio::test]
    async fn a_listener_too_far_behind_receives_missed_once_and_then_the_rest() {
        let presence = Presence::new();
        let (mut quick, mut slow) = (presence.changes(), presence.changes());
        let arrive = |socket: usize| {
            presence.track(&room(), &socket.to_string(), socket as u64, None);
        };
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
        assert_eq!(presence.count(room()), WAITING + 3, "the list of people is complete");
    }

    #[test]
    fn an_empty_group_is_removed() {
        let presence = Presence::new();
        presence.track(&room(), "ada", 1, None);
        presence.untrack(&room(), "ada", 1, 0);
        presence.sweep(1000, 1000);
        assert!(presence.lock().is_empty());
    }

    #[test]
    fn facts_about_a_person_are_listed_and_a_change_of_them_is_told() {
        let presence = Presence::new();
        let mut changes = presence.changes();
        let track = |socket, facts: &str| {
            presence.track(&room(), "ada", socket, Some(Value::from(facts)));
        };
        track(1, "reading");
        track(2, "reading");
        track(2, "writing");
        let [ada] = presence.list(room()).try_into().unwrap();
        assert_eq!((&*ada.person, ada.facts::<String>().unwrap().as_str()), ("ada", "writing"));
        assert!(ada.facts::<u8>().is_err());
        assert_eq!(received(&mut changes), ["arrived", "arrived"]);
    }

    #[tokio::test(start_paused = true)]
    async fn changes_are_gathered_and_what_came_last_counts() {
        let presence = Presence::new();
        let (sender, mut told) = tokio::sync::mpsc::unbounded_channel();
        let interval = Duration::from_millis(200);
        tokio::spawn(presence.changes().gather(interval, move |group, difference| {
            sender.send((group, difference)).unwrap();
            std::future::ready(())
        }));
        for person in ["ada", "ben", "cy"] {
            presence.track(&room(), person, 1, None);
        }
        presence.untrack(&room(), "ben", 1, 0);
        presence.sweep(1000, 1000);
        let (group, difference) = told.recv().await.unwrap();
        let arrived: Vec<_> = difference.arrived.iter().map(|who| &*who.person).collect();
        assert_eq!(
            (group, arrived, difference.left),
            (room(), vec!["ada", "cy"], vec!["ben".into()])
        );
    }
}
