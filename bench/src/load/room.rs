//! A room of the load generator: tracks sent messages and their receipts.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use anyhow::{Context, ensure};
use bellwire_bench::{HELLO, TEXT, WELCOME, frame, send_action};

use crate::cases::Case;
use crate::member::{Member, Stream, masked};

/// A message that some members have not received yet.
struct InFlight {
    bytes: String,
    receipts: usize,
}

/// Sends a message whenever fewer than `in_flight` messages are incomplete.
pub(crate) struct Room {
    number: u32,
    /// The epoch of the server's positions.
    epoch: Option<String>,
    members: usize,
    in_flight: u64,
    /// Whether to send requests with a reply to the sender only, instead of messages to all.
    replies: bool,
    sent: u64,
    complete: u64,
    pending: VecDeque<InFlight>,
    sender: Option<Stream>,
    sending: bool,
    pub(crate) deliveries: u64,
}

pub(crate) type Shared = Rc<RefCell<Room>>;

impl Room {
    pub(crate) fn new(number: u32, epoch: Option<String>, case: Case) -> Shared {
        let Case { members, in_flight, replies, .. } = case;
        Rc::new(RefCell::new(Self {
            number,
            epoch,
            members,
            in_flight,
            replies,
            sent: 0,
            complete: 0,
            pending: VecDeque::new(),
            sender: None,
            sending: false,
            deliveries: 0,
        }))
    }

    pub(crate) fn members(&self) -> u64 {
        self.members as u64
    }

    /// Adds a member. The first one is the sender.
    pub(crate) fn add(&mut self, member: &Member) {
        self.sender.get_or_insert_with(|| member.stream());
    }

    /// Starts sending.
    pub(crate) fn start(&mut self) -> anyhow::Result<()> {
        self.sending = true;
        self.fill_window()
    }

    pub(crate) fn stop(&mut self) {
        self.sending = false;
    }

    /// Whether all members have received all messages.
    pub(crate) fn is_quiet(&self) -> bool {
        self.sent == self.complete
    }

    /// Records that a member received its message number `seq`. The message must equal the expected
    /// one byte for byte, or the run is invalid.
    pub(crate) fn receive(&mut self, seq: u64, bytes: &[u8]) -> anyhow::Result<()> {
        let index =
            seq.checked_sub(self.complete + 1).and_then(|index| usize::try_from(index).ok());
        let message = index.and_then(|index| self.pending.get_mut(index));
        let message = message
            .with_context(|| format!("room {}: message {seq} was never sent", self.number))?;
        ensure!(
            message.bytes.as_bytes() == bytes,
            "room {}: a member received {:?} instead of {:?}",
            self.number,
            String::from_utf8_lossy(bytes),
            message.bytes
        );
        message.receipts += 1;
        self.deliveries += 1;
        while self.pending.front().is_some_and(|message| message.receipts == self.members) {
            self.pending.pop_front();
            self.complete += 1;
        }
        self.fill_window()
    }

    fn fill_window(&mut self) -> anyhow::Result<()> {
        let Some(sender) = self.sender.as_ref().filter(|_| self.sending) else { return Ok(()) };
        let mut bytes = Vec::new();
        while self.sent - self.complete < self.in_flight {
            self.sent += 1;
            let (action, expected) = match self.replies {
                true => (HELLO.to_owned(), WELCOME.to_owned()),
                false => {
                    let epoch = self.epoch.as_deref();
                    (send_action(TEXT), frame(self.number, epoch, self.sent, TEXT))
                }
            };
            self.pending.push_back(InFlight { bytes: expected, receipts: 0 });
            bytes.extend(masked(&action));
        }
        if !bytes.is_empty() {
            let written = sender.try_write(&bytes).context("send a message")?;
            ensure!(written == bytes.len(), "the server does not read");
        }
        Ok(())
    }
}

/// Passes a member's received messages to the room, until an error.
pub(crate) async fn listen(mut member: Member, room: Shared) -> anyhow::Result<()> {
    loop {
        member.read_frames(|seq, bytes| room.borrow_mut().receive(seq, bytes)).await?;
    }
}
