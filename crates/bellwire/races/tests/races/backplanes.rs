//! Which groups this process listens to.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use bellwire_races::stage::{Member, race};
use bellwire_races::{Backplane, GroupName, Layer};
use bytes::Bytes;
use shuttle::thread;

use super::room;

/// What was asked for last. Its lock is no turn for others.
#[derive(Clone, Default)]
struct Listening(Arc<Mutex<HashSet<GroupName>>>);

impl Backplane for Listening {
    fn publish(&self, _: &GroupName, _: Bytes) {}

    fn listen(&self, group: &GroupName) {
        assert!(self.0.lock().unwrap().insert(group.clone()), "listened twice");
    }

    fn ignore(&self, group: &GroupName) {
        assert!(self.0.lock().unwrap().remove(group), "ignored what it did not listen to");
    }
}

impl Listening {
    fn to_the_room(&self) -> bool {
        self.0.lock().unwrap().contains(&room())
    }
}

#[test]
fn when_all_is_quiet_the_backplane_listens_exactly_to_the_groups_with_members_here() {
    race(|| {
        let listening = Listening::default();
        let layer = Layer::with_backplane(listening.clone());
        let [ada, ben, eve] = ["ada", "ben", "eve"].map(|person| Member::connect(&layer, person));
        let comes_and_goes = [ada.clone(), ben.clone()].map(|member| {
            thread::spawn(move || {
                member.join(&room());
                member.leave(&room());
            })
        });
        eve.join(&room());
        comes_and_goes.into_iter().for_each(|thread| thread.join().unwrap());
        assert!(listening.to_the_room(), "there is a member, and nobody listens");
        [ada, ben, eve].iter().for_each(|member| member.disconnect(&[room()]));
        assert!(listening.0.lock().unwrap().is_empty(), "nobody is here, and it listens");
    });
}

#[test]
fn an_expulsion_beside_a_join_leaves_the_backplane_listening() {
    race(|| {
        let listening = Listening::default();
        let layer = Layer::with_backplane(listening.clone());
        let [ada, ben] = ["ada", "ben"].map(|person| Member::connect(&layer, person));
        let joiner = thread::spawn(move || ada.join(&room()));
        let expeller = {
            let layer = layer.clone();
            thread::spawn(move || layer.remove_person("ada", &room()))
        };
        ben.join(&room());
        joiner.join().unwrap();
        expeller.join().unwrap();
        assert!(listening.to_the_room());
    });
}
