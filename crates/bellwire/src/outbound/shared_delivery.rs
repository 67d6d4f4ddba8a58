//! Sends to groups, and the deliveries made from them, which all receiving members share.

use std::any::Any;

use serde::de::DeserializeOwned;

use crate::group_name::Position;
use crate::outbound::cost::Cost;
use crate::sync::{Arc, OnceLock};
use crate::transport::{EncodedFrame, EncodedFrames};
use crate::{Close, Counters, Dialect, Event, GroupName, Patch, Seq};

/// The cost of a queued event, in bytes: it is shared, and its size is not known.
const EVENT_COST: usize = 256;
/// The cost of a frame in addition to its text, in bytes.
const OVERHEAD: usize = 128;

/// A send to a group.
pub(crate) enum Send {
    Event(AnyEvent),
    Patches(Vec<Patch>, Option<Seq>),
    /// The same text for every member, in all dialects.
    Text(Box<str>),
    /// Close the members' sockets.
    Close(Close),
    /// Remove the members from a group.
    Remove(GroupName),
}

impl Send {
    pub(crate) fn event<E: Event>(event: E) -> Self {
        Self::Event(AnyEvent::Local { event: Arc::new(event), encode: encode::<E> })
    }
}

/// An event whose type only the consumers know.
pub(crate) enum AnyEvent {
    /// Sent in this process: never serialized for the members here.
    Local { event: Arc<dyn Any + std::marker::Send + Sync>, encode: fn(&dyn Any) -> Option<String> },
    /// Received from another process: deserialized once, by the first member that needs it.
    Remote { json: Box<str>, event: OnceLock<Option<Arc<dyn Any + std::marker::Send + Sync>>> },
}

fn encode<E: Event>(event: &dyn Any) -> Option<String> {
    event.downcast_ref::<E>().and_then(|event| serde_json::to_string(event).ok())
}

impl AnyEvent {
    pub(crate) fn remote(json: Box<str>) -> Self {
        Self::Remote { json, event: OnceLock::new() }
    }

    /// The event, if it has the type of this consumer.
    pub(crate) fn get<E: DeserializeOwned + std::marker::Send + Sync + 'static>(
        &self,
    ) -> Option<&E> {
        let event = match self {
            Self::Local { event, .. } => event,
            Self::Remote { json, event } => event
                .get_or_init(|| Some(Arc::new(serde_json::from_str::<E>(json).ok()?) as _))
                .as_ref()?,
        };
        event.downcast_ref()
    }

    /// The event as JSON, for other processes.
    pub(crate) fn json(&self) -> Option<String> {
        match self {
            Self::Local { event, encode } => encode(event.as_ref()),
            Self::Remote { json, .. } => Some(json.to_string()),
        }
    }
}

/// One send to one group, or a batch of them, shared by the queues of all members.
pub(crate) struct Delivery {
    pub(crate) group: GroupName,
    pub(crate) body: Body,
    pub(crate) cost: Cost,
}

pub(crate) enum Body {
    Event(AnyEvent),
    /// One send, or a batch of numbered changes.
    Frames(Vec<EncodedPatches>),
}

impl Delivery {
    pub(crate) fn new(group: GroupName, body: Body) -> Self {
        let cost = match &body {
            Body::Event(_) => Cost::new(1, EVENT_COST),
            Body::Frames(all) => Cost::new(all.len(), all.iter().map(|frames| frames.bytes).sum()),
        };
        Self { group, body, cost }
    }

    /// Whether a member that missed it can catch up by its numbers.
    pub(crate) fn is_numbered(&self) -> bool {
        matches!(&self.body, Body::Frames(all) if all.iter().all(|frames| frames.seq().is_some()))
    }
}

/// Patches, encoded once per dialect when the first member needs it.
pub(crate) struct EncodedPatches {
    patches: Vec<Patch>,
    position: Option<Position>,
    /// The cost in a queue, in bytes.
    bytes: usize,
    json: OnceLock<EncodedFrames>,
    htmx: OnceLock<EncodedFrames>,
    counters: Arc<Counters>,
}

impl EncodedPatches {
    pub(crate) fn new(
        patches: Vec<Patch>,
        position: Option<Position>,
        counters: Arc<Counters>,
    ) -> Self {
        let bytes = patches.iter().map(cost).sum();
        Self { patches, position, bytes, json: OnceLock::new(), htmx: OnceLock::new(), counters }
    }

    /// Plain text: encoded immediately, for all dialects.
    pub(crate) fn text(text: &str, counters: Arc<Counters>) -> Self {
        counters.encoded();
        let frame = EncodedFrames::from([EncodedFrame::text(text.as_bytes())]);
        let bytes = text.len() + OVERHEAD;
        let frames = Self { bytes, ..Self::new(Vec::new(), None, counters) };
        let _ = frames.json.set(frame.clone());
        let _ = frames.htmx.set(frame);
        frames
    }

    pub(crate) fn seq(&self) -> Option<Seq> {
        self.position.as_ref().map(|position| position.seq)
    }

    pub(crate) fn in_dialect(&self, dialect: Dialect) -> &[EncodedFrame] {
        let cell = match dialect {
            Dialect::Json => &self.json,
            Dialect::Htmx => &self.htmx,
        };
        cell.get_or_init(|| {
            self.counters.encoded();
            dialect.patches(&self.patches, self.position.as_ref())
        })
    }
}

/// The cost of a patch in a queue, in bytes: its HTML, its JSON text, and an overhead for the rest.
fn cost(patch: &Patch) -> usize {
    patch.html.as_str().len() + patch.json_text.as_ref().map_or(0, String::len) + OVERHEAD
}
