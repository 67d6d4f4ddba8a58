//! One room as the load sees it: what was said, and who has it.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use anyhow::{Context, ensure};
use bellwire_bench::{HELLO, TEXT, WELCOME, frame, say};

use crate::member::{Member, Stream, masked};
use crate::rounds::Case;

/// A message that some member does not have yet.
struct OnItsWay {
    bytes: String,
    receipts: usize,
}

/// Says something as soon as everybody has what was said `in_flight` messages ago.
pub(crate) struct Room {
    number: u32,
    members: usize,
    in_flight: u64,
    /// Asks that are answered to the asker alone, instead of messages to all.
    replies: bool,
    said: u64,
    complete: u64,
    on_their_way: VecDeque<OnItsWay>,
    speaker: Option<Stream>,
    speaking: bool,
    pub(crate) deliveries: u64,
}

pub(crate) type Shared = Rc<RefCell<Room>>;

impl Room {
    pub(crate) fn new(number: u32, Case { members, in_flight, replies, .. }: Case) -> Shared {
        Rc::new(RefCell::new(Self {
            number,
            members,
            in_flight,
            replies,
            said: 0,
            complete: 0,
            on_their_way: VecDeque::new(),
            speaker: None,
            speaking: false,
            deliveries: 0,
        }))
    }

    pub(crate) fn members(&self) -> u64 {
        self.members as u64
    }

    /// One member more. The first is the one who speaks.
    pub(crate) fn add(&mut self, member: &Member) {
        self.speaker.get_or_insert_with(|| member.stream());
    }

    /// Begins to speak.
    pub(crate) fn begin(&mut self) -> anyhow::Result<()> {
        self.speaking = true;
        self.say_what_fits()
    }

    pub(crate) fn stop(&mut self) {
        self.speaking = false;
    }

    /// Whether everybody has everything.
    pub(crate) fn is_quiet(&self) -> bool {
        self.said == self.complete
    }

    /// A member got its message number `seq`: the one that is due, to the byte, or the run is no
    /// result.
    pub(crate) fn receive(&mut self, seq: u64, bytes: &[u8]) -> anyhow::Result<()> {
        let index =
            seq.checked_sub(self.complete + 1).and_then(|index| usize::try_from(index).ok());
        let message = index.and_then(|index| self.on_their_way.get_mut(index));
        let message = message
            .with_context(|| format!("room {}: message {seq} was never said", self.number))?;
        ensure!(
            message.bytes.as_bytes() == bytes,
            "room {}: a member got {:?} where {:?} was due",
            self.number,
            String::from_utf8_lossy(bytes),
            message.bytes
        );
        message.receipts += 1;
        self.deliveries += 1;
        while self.on_their_way.front().is_some_and(|message| message.receipts == self.members) {
            self.on_their_way.pop_front();
            self.complete += 1;
        }
        self.say_what_fits()
    }

    fn say_what_fits(&mut self) -> anyhow::Result<()> {
        let Some(speaker) = self.speaker.as_ref().filter(|_| self.speaking) else { return Ok(()) };
        let mut bytes = Vec::new();
        while self.said - self.complete < self.in_flight {
            self.said += 1;
            let (asked, answered) = match self.replies {
                true => (HELLO.to_owned(), WELCOME.to_owned()),
                false => (say(TEXT), frame(self.number, self.said, TEXT)),
            };
            self.on_their_way.push_back(OnItsWay { bytes: answered, receipts: 0 });
            bytes.extend(masked(&asked));
        }
        if !bytes.is_empty() {
            let written = speaker.try_write(&bytes).context("say something")?;
            ensure!(written == bytes.len(), "the server does not read");
        }
        Ok(())
    }
}
