//! Ephemeral state of groups: HTML under keys that expire, such as who is typing.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use tokio::time::Instant;

use crate::sync::{Mutex, MutexGuard, PoisonError};
use crate::{GroupName, Html, Patch, TextId};

/// The maximum number of keys of a group.
const MAX_KEYS: usize = 1_000;

/// The state of all groups in this process.
#[derive(Default)]
pub(super) struct States {
    groups: Mutex<HashMap<GroupName, Entries>>,
    order: Mutex<()>,
}

type Entries = BTreeMap<TextId, Entry>;

struct Entry {
    html: Html,
    until: Instant,
}

impl States {
    /// Held from a look at the state until its patch is queued, so that patches are queued in the
    /// order of the changes, and a member that joins meanwhile shows each key once.
    pub(super) fn in_order(&self) -> MutexGuard<'_, ()> {
        self.order.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Shows `html` under a key until `ttl` has passed. Returns the patch for members that do not
    /// show it yet.
    pub(super) fn set(
        &self,
        group: &GroupName,
        key: &TextId,
        html: Html,
        ttl: Duration,
    ) -> Option<Patch> {
        let mut groups = self.lock();
        let entries = groups.entry(group.clone()).or_default();
        let until = Instant::now() + ttl;
        if let Some(entry) = entries.get_mut(key) {
            let changed = entry.html != html;
            *entry = Entry { html, until };
            return changed
                .then(|| Patch::replace(selector_of(group, key), shown(group, key, &entry.html)));
        }
        if entries.len() >= MAX_KEYS {
            tracing::warn!(%group, %key, "A group shows {MAX_KEYS} keys, so another is ignored");
            return None;
        }
        let patch = Patch::append(selector(group), shown(group, key, &html));
        entries.insert(key.clone(), Entry { html, until });
        Some(patch)
    }

    /// Removes a key. Returns the patch for members that show it.
    pub(super) fn clear(&self, group: &GroupName, key: &TextId) -> Option<Patch> {
        let mut groups = self.lock();
        let entries = groups.get_mut(group)?;
        entries.remove(key)?;
        if entries.is_empty() {
            groups.remove(group);
        }
        Some(Patch::remove(selector_of(group, key)))
    }

    /// The patch that shows the current state to a new member; `None` if there is no state.
    pub(super) fn current(&self, group: &GroupName) -> Option<Patch> {
        let groups = self.lock();
        let now = Instant::now();
        let html: String = groups
            .get(group)?
            .iter()
            .filter(|(_, entry)| entry.until > now)
            .map(|(key, entry)| shown(group, key, &entry.html).to_string())
            .collect();
        Some(Patch::inner(selector(group), Html::trusted(html)))
    }

    /// Removes the expired keys. Returns them with their groups.
    pub(super) fn take_expired(&self, now: Instant) -> Vec<(GroupName, Patch)> {
        let mut expired = Vec::new();
        self.lock().retain(|group, entries| {
            entries.retain(|key, entry| {
                let stays = entry.until > now;
                if !stays {
                    expired.push((group.clone(), Patch::remove(selector_of(group, key))));
                }
                stays
            });
            !entries.is_empty()
        });
        expired
    }

    // A panic while the lock is held leaves valid entries.
    fn lock(&self) -> MutexGuard<'_, HashMap<GroupName, Entries>> {
        self.groups.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The selector of the element that shows the state of a group.
fn selector(group: &GroupName) -> String {
    format!("[data-bw-state=\"{group}\"]")
}

/// The selector of what one key shows.
fn selector_of(group: &GroupName, key: &TextId) -> String {
    format!("[id=\"{}\"]", id(group, key))
}

fn id(group: &GroupName, key: &TextId) -> String {
    format!("state--{group}--{key}")
}

fn shown(group: &GroupName, key: &TextId, html: &Html) -> Html {
    Html::trusted(format!("<span id=\"{}\">{html}</span>", id(group, key)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TTL: Duration = Duration::from_secs(4);

    fn group() -> GroupName {
        GroupName::new("typing.7").unwrap()
    }

    fn key(text: &str) -> TextId {
        text.parse().unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn a_key_is_shown_until_it_expires_and_a_repeat_only_prolongs_it() {
        let states = States::default();
        let set = |text: &str| states.set(&group(), &key("ada"), Html::text(text), TTL);
        let ada =
            |text: &str| Html::trusted(format!("<span id=\"state--typing.7--ada\">{text}</span>"));
        assert_eq!(set("Ada"), Some(Patch::append("[data-bw-state=\"typing.7\"]", ada("Ada"))));
        tokio::time::advance(TTL / 2).await;
        assert_eq!(set("Ada"), None, "it is shown already");
        assert!(states.take_expired(Instant::now() + TTL / 2).is_empty());
        let replaced = Patch::replace("[id=\"state--typing.7--ada\"]", ada("Ada!"));
        assert_eq!(set("Ada!"), Some(replaced));
        assert_eq!(
            states.current(&group()),
            Some(Patch::inner("[data-bw-state=\"typing.7\"]", ada("Ada!")))
        );
        let removed = Patch::remove("[id=\"state--typing.7--ada\"]");
        assert_eq!(states.take_expired(Instant::now() + TTL), [(group(), removed)]);
        assert_eq!(states.current(&group()), None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_group_shows_a_bounded_number_of_keys() {
        let states = States::default();
        for number in 0..MAX_KEYS {
            assert!(
                states.set(&group(), &key(&number.to_string()), Html::text("x"), TTL).is_some()
            );
        }
        assert_eq!(states.set(&group(), &key("another"), Html::text("x"), TTL), None);
        assert!(states.clear(&group(), &key("0")).is_some());
        assert_eq!(states.clear(&group(), &key("0")), None);
        assert!(states.set(&group(), &key("another"), Html::text("x"), TTL).is_some());
    }
}
