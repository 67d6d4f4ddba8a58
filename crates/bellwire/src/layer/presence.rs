//! Who is in a group: people, not sockets.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;

use tokio::sync::broadcast;

use super::batch;
use crate::GroupName;
use crate::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How many changes may wait for a listener. One that is further behind is told
/// [`PresenceChange::Missed`].
const WAITING: usize = 1024;

/// Who is present in each group. One person with three tabs is one person, and reloading a page is
/// not leaving: whoever is back within [`Limits::presence_grace`](crate::Limits::presence_grace)
/// was never away.
///
/// Sockets appear by [`Socket::track`](crate::Socket::track) and disappear with their connection.
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
    /// When the last of them went, in milliseconds of the process's clock.
    gone: Option<u64>,
}

/// Somebody came or went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PresenceChange {
    /// A person's first socket appeared in the group.
    Arrived {
        /// Where.
        group: GroupName,
        /// Who, by the key given to [`Upgrade::person`](crate::Upgrade::person).
        person: Box<str>,
    },
    /// A person's last socket is gone, and did not come back.
    Left {
        /// Where.
        group: GroupName,
        /// Who.
        person: Box<str>,
    },
    /// This listener was too slow for some changes: read anew who is present.
    Missed,
}

/// Every change of presence from now on, in order.
pub struct PresenceChanges(broadcast::Receiver<PresenceChange>);

impl PresenceChanges {
    /// The next change; `None` when the layer is gone.
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

    /// How many people are in the group.
    pub fn count(&self, group: &GroupName) -> usize {
        self.lock().get(group).map_or(0, People::len)
    }

    /// Whether this person is in the group.
    pub fn is_present(&self, group: &GroupName, person: &str) -> bool {
        self.lock().get(group).is_some_and(|people| people.contains_key(person))
    }

    /// Listens to who comes and goes.
    pub fn changes(&self) -> PresenceChanges {
        PresenceChanges(self.0.changes.subscribe())
    }

    pub(crate) fn track(&self, group: &GroupName, person: &str, socket: u64) {
        batch::flush_buffered();
        let mut groups = self.lock();
        let people = groups.entry(group.clone()).or_default();
        let is_new = !people.contains_key(person);
        let entry = people.entry(person.into()).or_default();
        entry.gone = None;
        entry.sockets.insert(socket);
        if is_new {
            self.tell(PresenceChange::Arrived { group: group.clone(), person: person.into() });
        }
    }

    /// This socket is gone from the group; its person stays until the grace is over.
    pub(crate) fn untrack(&self, group: &GroupName, person: &str, socket: u64, now: u64) {
        let mut groups = self.lock();
        if let Some(entry) = groups.get_mut(group).and_then(|people| people.get_mut(person)) {
            entry.sockets.remove(&socket);
            if entry.sockets.is_empty() {
                entry.gone = Some(now);
            }
        }
    }

    /// Lets those go who were away for longer than `grace` milliseconds.
    pub(crate) fn sweep(&self, now: u64, grace: u64) {
        let mut groups = self.lock();
        groups.retain(|group, people| {
            people.retain(|person, entry| {
                let stays = entry.gone.is_none_or(|gone| now.saturating_sub(gone) < grace);
                if !stays {
                    self.tell(PresenceChange::Left {
                        group: group.clone(),
                        person: person.clone(),
                    });
                }
                stays
            });
            !people.is_empty()
        });
    }

    // Told under the lock, so that everybody hears the changes in their order.
    fn tell(&self, change: PresenceChange) {
        // Nobody listening is no fault.
        let _ = self.0.changes.send(change);
    }

    // A panic while the lock was held leaves a list of people that is still one.
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
        f.write_str("Changes")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn room() -> GroupName {
        GroupName::of("room", 1)
    }

    fn told(changes: &mut PresenceChanges) -> Vec<&'static str> {
        let word = |change| match change {
            PresenceChange::Arrived { .. } => "arrived",
            PresenceChange::Left { .. } => "left",
            PresenceChange::Missed => "missed",
        };
        std::iter::from_fn(|| changes.0.try_recv().ok()).map(word).collect()
    }

    #[test]
    fn three_tabs_are_one_person_who_leaves_with_the_last() {
        let presence = Presence::new();
        let mut changes = presence.changes();
        (1..=3).for_each(|socket| presence.track(&room(), "ada", socket));
        presence.track(&room(), "ben", 4);
        assert_eq!(presence.people(&room()), ["ada".into(), "ben".into()]);
        presence.untrack(&room(), "ada", 1, 0);
        presence.untrack(&room(), "ada", 2, 0);
        presence.sweep(100_000, 1000);
        assert_eq!((presence.count(&room()), told(&mut changes)), (2, vec!["arrived", "arrived"]));
        presence.untrack(&room(), "ada", 3, 100_000);
        presence.sweep(101_000, 1000);
        assert!(!presence.is_present(&room(), "ada") && presence.is_present(&room(), "ben"));
        assert_eq!(told(&mut changes), ["left"]);
    }

    #[test]
    fn who_is_back_within_the_grace_was_never_away() {
        let presence = Presence::new();
        let mut changes = presence.changes();
        presence.track(&room(), "ada", 1);
        presence.untrack(&room(), "ada", 1, 0);
        presence.sweep(999, 1000);
        assert!(presence.is_present(&room(), "ada"), "still within the grace");
        presence.track(&room(), "ada", 2);
        presence.sweep(5000, 1000);
        assert_eq!(told(&mut changes), ["arrived"]);
    }

    #[tokio::test]
    async fn a_listener_who_is_too_many_changes_behind_is_told_so_once_and_hears_the_rest() {
        let presence = Presence::new();
        let (mut quick, mut slow) = (presence.changes(), presence.changes());
        let arrive = |socket: usize| presence.track(&room(), &socket.to_string(), socket as u64);
        (0..WAITING).for_each(arrive);
        for _ in 0..WAITING {
            assert!(
                matches!(quick.next().await, Some(PresenceChange::Arrived { .. })),
                "so many wait"
            );
        }
        (WAITING..WAITING + 3).for_each(arrive);
        assert_eq!(slow.next().await, Some(PresenceChange::Missed));
        assert_eq!(told(&mut slow).len(), WAITING);
        assert_eq!(told(&mut quick), ["arrived"; 3], "nobody else misses anything");
        assert_eq!(
            presence.count(&room()),
            WAITING + 3,
            "and who is there is known to whoever asks"
        );
    }

    #[test]
    fn an_empty_group_is_forgotten() {
        let presence = Presence::new();
        presence.track(&room(), "ada", 1);
        presence.untrack(&room(), "ada", 1, 0);
        presence.sweep(1000, 1000);
        assert!(presence.lock().is_empty());
    }
}
