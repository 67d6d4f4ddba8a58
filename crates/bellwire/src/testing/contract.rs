//! The promises of `docs/channel-layer.md`, each a function of the same name.
//! [`layer_contract!`](crate::layer_contract) makes a test of every one of them for a layer.
//!
//! Each takes two layers, as two processes have them: for memory twice the same, for a backplane
//! one at each of its ends. What travels between processes takes its time, so "hears nothing" is
//! shown by what is sent afterwards and comes first.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use crate::testing::Communicator;
use crate::{
    Bellwire, CatchUp, Close, Consumer, Dialect, Error, Frame, Group, GroupName, Html, Layer,
    Limits, Patch, Seq, Socket,
};

/// Makes a test of every promise that a layer gives. `$two` is an async function without arguments
/// that returns `[Layer; 2]`.
///
/// ```
/// use bellwire::Layer;
///
/// async fn memory() -> [Layer; 2] {
///     let layer = Layer::memory();
///     [layer.clone(), layer]
/// }
///
/// bellwire::layer_contract!(memory);
/// ```
#[macro_export]
macro_rules! layer_contract {
    ($two:path) => {
        $crate::layer_contract! { $two:
            a_send_reaches_every_member_on_every_process,
            nobody_outside_the_group_hears_a_send,
            who_left_hears_nothing_more,
            send_except_leaves_out_one_channel_wherever_it_is,
            sends_of_one_sender_arrive_in_order,
            a_patch_arrives_in_each_members_dialect,
            a_feed_is_written_in_order_and_once,
            a_gap_in_a_feed_is_filled_before_what_follows,
            a_full_queue_is_made_good_by_catching_up,
            one_channel_is_reached_by_its_name,
            a_kick_closes_a_person_on_every_process,
            a_kick_of_one_session_leaves_the_others_alone,
            nothing_sent_after_a_kick_is_delivered,
            an_expelled_person_hears_nothing_more_from_the_group,
            an_empty_group_is_forgotten,
        }
    };
    ($two:path: $($promise:ident),* $(,)?) => {
        $(#[tokio::test]
        async fn $promise() {
            $crate::testing::contract::$promise($two().await).await;
        })*
    };
}

/// A member who repeats what it is told, and follows the group's lines if there are any.
struct Member {
    group: GroupName,
    lines: Option<Lines>,
}

type Lines = Arc<Mutex<Vec<String>>>;

impl Consumer for Member {
    type Action = Frame;
    type Event = String;

    async fn connect(&mut self, socket: &mut Socket) -> Result<(), Error> {
        let group = socket.layer().group::<String>(self.group.clone());
        match self.lines {
            Some(_) => socket.follow(&group),
            None => socket.join(&group),
        }
        Ok(())
    }

    /// Anything that is asked means to leave the group.
    async fn receive(&mut self, socket: &mut Socket, _: Frame) -> Result<(), Error> {
        let group = socket.layer().group::<String>(self.group.clone());
        socket.leave(&group);
        Ok(())
    }

    async fn event(&mut self, socket: &mut Socket, event: &String) -> Result<(), Error> {
        socket.send_text(event).await
    }

    async fn catch_up(
        &mut self,
        _: &mut Socket,
        _: &GroupName,
        since: Option<Seq>,
    ) -> Result<CatchUp, Error> {
        let lines = self.lines.clone().unwrap_or_default();
        let lines = lines.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let since = usize::try_from(since.unwrap_or(0))?;
        Ok(CatchUp {
            patches: lines.iter().skip(since).map(|line| written(line)).collect(),
            seq: lines.len() as Seq,
        })
    }
}

/// A stage of its own for every test, so that tests may share a server.
struct Stage {
    processes: [Bellwire; 2],
    group: GroupName,
    lines: Lines,
}

impl Stage {
    fn set(layers: [Layer; 2]) -> Self {
        Self::with(layers, Limits::default())
    }

    fn with(layers: [Layer; 2], limits: Limits) -> Self {
        static STAGES: AtomicU64 = AtomicU64::new(0);
        let number = (u64::from(std::process::id()) << 32) + STAGES.fetch_add(1, Ordering::Relaxed);
        let process = |layer| {
            let built =
                Bellwire::builder("http://127.0.0.1:8000").limits(limits).layer(layer).build();
            built.unwrap_or_else(|error| panic!("{error}"))
        };
        let group = GroupName::of("contract", number.cast_signed());
        Self { processes: layers.map(process), group, lines: Lines::default() }
    }

    fn group(&self) -> Group<String> {
        self.processes[0].layer().group(self.group.clone())
    }

    async fn member(&self, process: usize, person: &str) -> Communicator {
        self.join(process, person, "", None, Dialect::Json).await
    }

    async fn follower(&self, process: usize) -> Communicator {
        self.join(process, "ada", "", Some(self.lines.clone()), Dialect::Json).await
    }

    async fn join(
        &self,
        process: usize,
        person: &str,
        session: &str,
        lines: Option<Lines>,
        dialect: Dialect,
    ) -> Communicator {
        let dial = Communicator::to(&self.processes[process], "/").dialect(dialect);
        // Persons are the stage's own, too.
        let dial = dial.person(self.person(person)).session(self.person(session));
        dial.connect(Member { group: self.group.clone(), lines }).await
    }

    fn person(&self, name: &str) -> String {
        format!("{}.{name}", self.group)
    }

    fn send(&self, text: &str) {
        self.group().send(text.to_owned());
    }

    /// Writes a line without telling anybody.
    fn write(&self, line: &str) -> Seq {
        let mut lines = self.lines.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        lines.push(line.to_owned());
        lines.len() as Seq
    }

    fn publish(&self, line: &str) {
        self.group().publish(self.write(line), written(line));
    }
}

fn written(line: &str) -> Patch {
    Patch::append("#lines", Html::text(line))
}

async fn line(page: &mut Communicator) -> String {
    let frame: serde_json::Value = page.receive_json().await;
    frame["html"].as_str().unwrap_or_default().to_owned()
}

/// A send reaches every member of the group, in whichever process.
pub async fn a_send_reaches_every_member_on_every_process(layers: [Layer; 2]) {
    let stage = Stage::set(layers);
    let mut members =
        [stage.member(0, "ada").await, stage.member(0, "ben").await, stage.member(1, "cy").await];
    stage.send("hi");
    for member in &mut members {
        assert_eq!(member.receive_text().await, "hi");
        member.receive_nothing().await;
    }
}

/// Nobody who is not in the group hears it.
pub async fn nobody_outside_the_group_hears_a_send(layers: [Layer; 2]) {
    let (stage, elsewhere) = (Stage::set(layers.clone()), Stage::set(layers));
    let mut outsiders = [elsewhere.member(0, "ada").await, elsewhere.member(1, "ben").await];
    stage.send("not for you");
    elsewhere.send("for you");
    for outsider in &mut outsiders {
        assert_eq!(outsider.receive_text().await, "for you");
    }
}

/// Who left the group, or closed, hears nothing more.
pub async fn who_left_hears_nothing_more(layers: [Layer; 2]) {
    let stage = Stage::set(layers);
    let (mut leaver, mut stayer) = (stage.member(1, "ada").await, stage.member(1, "ben").await);
    leaver.send_text("leave").await;
    leaver.settle().await;
    stage.send("after");
    assert_eq!(stayer.receive_text().await, "after");
    leaver.receive_nothing().await;
}

/// `send_except` leaves out one channel, in whichever process it is.
pub async fn send_except_leaves_out_one_channel_wherever_it_is(layers: [Layer; 2]) {
    let stage = Stage::set(layers);
    let mut members = [stage.member(0, "ada").await, stage.member(1, "ben").await];
    for but in 0..2 {
        stage.group().send_except(members[but].channel(), "psst".to_owned());
        stage.send("all");
        assert_eq!(members[1 - but].receive_text().await, "psst");
        for member in &mut members {
            assert_eq!(member.receive_text().await, "all");
        }
    }
}

/// What one sender sends to a group arrives in its order.
pub async fn sends_of_one_sender_arrive_in_order(layers: [Layer; 2]) {
    let stage = Stage::set(layers);
    let mut members = [stage.member(0, "ada").await, stage.member(1, "ben").await];
    let all: Vec<String> = (0..100).map(|i| i.to_string()).collect();
    all.iter().for_each(|text| stage.send(text));
    for member in &mut members {
        for text in &all {
            assert_eq!(member.receive_text().await, *text);
        }
    }
}

/// A patch arrives in the dialect of each member.
pub async fn a_patch_arrives_in_each_members_dialect(layers: [Layer; 2]) {
    let stage = Stage::set(layers);
    stage.group().patch(Patch::inner("#x", Html::text("nobody is here yet")));
    for process in 0..2 {
        let mut json = stage.join(process, "ada", "", None, Dialect::Json).await;
        let mut htmx = stage.join(process, "ada", "", None, Dialect::Htmx).await;
        stage.group().patch(Patch::inner("#x", Html::text("<b>")));
        assert_eq!(json.receive_text().await, r##"{"selector":"#x","html":"&lt;b&gt;"}"##);
        assert_eq!(
            htmx.receive_text().await,
            r##"<div hx-swap-oob="innerHTML:#x">&lt;b&gt;</div>"##
        );
    }
}

/// Followers of a feed get each number once and in order, whatever is published twice or late.
pub async fn a_feed_is_written_in_order_and_once(layers: [Layer; 2]) {
    let stage = Stage::set(layers);
    let mut pages = [stage.follower(0).await, stage.follower(1).await];
    stage.publish("1");
    let (second, third) = (stage.write("2"), stage.write("3"));
    stage.group().publish(third, written("3"));
    stage.group().publish(second, written("2"));
    stage.group().publish(third, written("3"));
    stage.publish("4");
    for page in &mut pages {
        for expected in ["1", "2", "3", "4"] {
            assert_eq!(line(page).await, expected);
        }
        page.receive_nothing().await;
    }
}

/// A number that is missing is filled from the source of truth before the next one is shown.
pub async fn a_gap_in_a_feed_is_filled_before_what_follows(layers: [Layer; 2]) {
    let stage = Stage::set(layers);
    let mut pages = [stage.follower(0).await, stage.follower(1).await];
    stage.write("unheard");
    stage.publish("heard");
    for page in &mut pages {
        assert_eq!(line(page).await, "unheard");
        assert_eq!(line(page).await, "heard");
    }
}

/// When a queue overflows, what was dropped is made good from the source of truth.
pub async fn a_full_queue_is_made_good_by_catching_up(layers: [Layer; 2]) {
    let stage = Stage::with(layers, Limits { queue_messages: 4, ..Limits::default() });
    let mut pages = [stage.follower(0).await, stage.follower(1).await];
    let all: Vec<String> = (0..50).map(|i| i.to_string()).collect();
    all.iter().for_each(|text| stage.publish(text));
    for page in &mut pages {
        for expected in &all {
            assert_eq!(line(page).await, *expected);
        }
    }
}

/// One connection is reached by its name, and a name is never used again.
pub async fn one_channel_is_reached_by_its_name(layers: [Layer; 2]) {
    let stage = Stage::set(layers);
    let (mut ada, mut ben) = (stage.member(0, "ada").await, stage.member(0, "ben").await);
    let layer = stage.processes[0].layer();
    assert!(layer.send_channel(ada.channel(), "you".to_owned()));
    assert_eq!(ada.receive_text().await, "you");
    ben.receive_nothing().await;
    let gone = ada.channel();
    ada.close(Close::normal()).await;
    assert!(!layer.send_channel(gone, "too late".to_owned()));
}

/// A kick closes every socket of a person, in every process, and nobody else's.
pub async fn a_kick_closes_a_person_on_every_process(layers: [Layer; 2]) {
    let stage = Stage::set(layers);
    let kicked = [stage.member(0, "ada").await, stage.member(1, "ada").await];
    let mut stayer = stage.member(1, "ben").await;
    stage.processes[0].layer().kick_person(&stage.person("ada"), Close::policy("signed out"));
    for socket in kicked {
        assert_eq!(socket.closed().await, Close::policy("signed out"));
    }
    stage.send("still here");
    assert_eq!(stayer.receive_text().await, "still here");
}

/// A kick of one session leaves the person's other sessions alone.
pub async fn a_kick_of_one_session_leaves_the_others_alone(layers: [Layer; 2]) {
    let stage = Stage::set(layers);
    let phone = stage.join(1, "ada", "phone", None, Dialect::Json).await;
    let mut desk = stage.join(1, "ada", "desk", None, Dialect::Json).await;
    stage.processes[0].layer().kick_session(&stage.person("phone"), Close::policy("ended"));
    assert_eq!(phone.closed().await, Close::policy("ended"));
    stage.send("still here");
    assert_eq!(desk.receive_text().await, "still here");
}

/// In the process of the kick, nothing that is sent after it returns is delivered, nor what was
/// waiting.
pub async fn nothing_sent_after_a_kick_is_delivered(layers: [Layer; 2]) {
    let stage = Stage::set(layers);
    let ada = stage.member(0, "ada").await;
    stage.processes[0].layer().kick_person(&stage.person("ada"), Close::policy("signed out"));
    stage.send("secret");
    assert_eq!(ada.heard_until_closed().await, (vec![], Close::policy("signed out")));
}

/// Who is taken out of a group hears nothing more from it, in every process.
pub async fn an_expelled_person_hears_nothing_more_from_the_group(layers: [Layer; 2]) {
    let stage = Stage::set(layers);
    let removed = [stage.member(0, "ada").await, stage.member(1, "ada").await];
    let mut stayer = stage.member(1, "ben").await;
    stage.processes[0].layer().remove_person(&stage.person("ada"), &stage.group);
    stage.send("secret");
    assert_eq!(stayer.receive_text().await, "secret");
    for socket in removed {
        assert_eq!(socket.heard_until_closed().await, (vec![], Close::policy("removed")));
    }
}

/// A group without members costs nothing.
pub async fn an_empty_group_is_forgotten(layers: [Layer; 2]) {
    let stage = Stage::set(layers);
    let ada = stage.member(0, "ada").await;
    assert_eq!(stage.processes[0].layer().local_members(&stage.group), 1);
    ada.cut().await;
    assert_eq!(stage.processes[0].layer().local_members(&stage.group), 0);
    let before = stage.processes[0].layer().counts().deliveries;
    stage.send("anybody?");
    assert_eq!(stage.processes[0].layer().counts().deliveries, before);
}
