//! What is sent, and what is handed on of it, shared by all who get it.

use std::any::Any;

use serde::de::DeserializeOwned;

use crate::group_name::Position;
use crate::outbound::cost::Cost;
use crate::sync::{Arc, OnceLock};
use crate::transport::{EncodedFrame, EncodedFrames};
use crate::{Close, Counters, Dialect, Event, GroupName, Patch, Seq};

/// An event weighs this much in a queue, in bytes: it is shared, and its size is not known.
const EVENT_COST: usize = 256;
/// What a frame weighs beside its text.
const OVERHEAD: usize = 128;

/// What is sent to a group.
pub(crate) enum Send {
    Event(AnyEvent),
    Patches(Vec<Patch>, Option<Seq>),
    /// The same text for every member, whatever its dialect.
    Text(Box<str>),
    /// Close the members' sockets.
    Close(Close),
    /// Take the members out of a group.
    Remove(GroupName),
}

impl Send {
    pub(crate) fn event<E: Event>(event: E) -> Self {
        Self::Event(AnyEvent::Local { event: Arc::new(event), encode: encode::<E> })
    }
}

/// An event whose type only its consumers know.
pub(crate) enum AnyEvent {
    /// Sent in this process: never serialised for its members here.
    Local { event: Arc<dyn Any + std::marker::Send + Sync>, encode: fn(&dyn Any) -> Option<String> },
    /// Come from another process: read once, by the first member here that needs it.
    Remote { json: Box<str>, event: OnceLock<Option<Arc<dyn Any + std::marker::Send + Sync>>> },
}

fn encode<E: Event>(event: &dyn Any) -> Option<String> {
    event.downcast_ref::<E>().and_then(|event| serde_json::to_string(event).ok())
}

impl AnyEvent {
    pub(crate) fn remote(json: Box<str>) -> Self {
        Self::Remote { json, event: OnceLock::new() }
    }

    /// The event, if it is of the type that this consumer understands.
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

    /// The event for another process.
    pub(crate) fn json(&self) -> Option<String> {
        match self {
            Self::Local { event, encode } => encode(event.as_ref()),
            Self::Remote { json, .. } => Some(json.to_string()),
        }
    }
}

/// One send to one group, or several that were published in one go, held by every queue it waits
/// in.
pub(crate) struct Delivery {
    pub(crate) group: GroupName,
    pub(crate) body: Body,
    pub(crate) cost: Cost,
}

pub(crate) enum Body {
    Event(AnyEvent),
    /// What was sent as one, or numbered changes that were published in one go.
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

    /// Whether who missed it can ask for it by its numbers.
    pub(crate) fn is_numbered(&self) -> bool {
        matches!(&self.body, Body::Frames(frames) if frames.iter().all(|frames| frames.seq().is_some()))
    }
}

/// Patches, encoded once a dialect when the first member needs it.
pub(crate) struct EncodedPatches {
    patches: Vec<Patch>,
    position: Option<Position>,
    /// What it weighs in a queue.
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

    /// Text as it is: encoded now, for every dialect.
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

/// What a patch weighs in a queue, in bytes: its HTML, its other words, and a little for the rest.
fn cost(patch: &Patch) -> usize {
    patch.html.as_str().len() + patch.json_text.as_ref().map_or(0, String::len) + OVERHEAD
}
