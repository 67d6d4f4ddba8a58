//! Sends to groups, and the deliveries made from them, which all receiving members share.

use std::any::{Any, TypeId};
use std::time::Duration;

use serde::de::DeserializeOwned;

use crate::layer_counters::Counters;
use crate::outbound::Reader;
use crate::outbound::cost::Cost;
use crate::position::{Position, Seq};
use crate::sync::{Arc, Mutex, OnceLock, PoisonError};
use crate::transport::{EncodedFrame, EncodedFrames};
use crate::{Close, Dialect, Error, Event, GroupName, Html, Patch, TextId};

/// The cost of a queued event, in bytes: it is shared, and its size is not known.
const EVENT_COST: usize = 256;
/// The cost of a frame in addition to its text, in bytes.
const OVERHEAD: usize = 128;

/// Renders a change for an audience.
pub(crate) type Render = Arc<dyn Fn(&str) -> Vec<Patch> + std::marker::Send + Sync>;

/// A send to a group.
pub(crate) enum Send {
    Event(AnyEvent),
    Patches(Vec<Patch>, Option<Seq>),
    /// A change that is rendered for each audience.
    Rendered(Render, Seq),
    /// There is a change with this number; its content is in the source.
    Hint(Seq),
    /// Ephemeral state under a key: what it shows and for how long, or that it ends.
    State(TextId, Option<(Html, Duration)>),
    /// The same text for every member, in all dialects.
    Text(Box<str>),
    /// Close the members' sockets.
    Close(Close),
    /// Remove the members from a group.
    Remove(GroupName),
}

impl Send {
    pub(crate) fn event<E: Event>(event: E) -> Self {
        let source = EventSource::Local { event: Arc::new(event), encode: encode::<E> };
        Self::Event(AnyEvent { source, decoded: Mutex::default() })
    }

    /// The number of the change, if it is one.
    pub(crate) fn seq(&self) -> Option<Seq> {
        match self {
            Self::Patches(_, seq) => *seq,
            Self::Rendered(_, seq) | Self::Hint(seq) => Some(*seq),
            Self::Event(_) | Self::State(..) | Self::Text(_) | Self::Close(_) | Self::Remove(_) => {
                None
            }
        }
    }
}

/// An event whose type only the consumers know.
pub(crate) struct AnyEvent {
    source: EventSource,
    /// The event as decoded for the types of consumers that are not the one it was sent with. Most
    /// events have none.
    decoded: Mutex<Vec<(TypeId, Option<SharedEvent>)>>,
}

type SharedEvent = Arc<dyn Any + std::marker::Send + Sync>;

enum EventSource {
    /// Sent in this process: not serialized for members of its type.
    Local { event: SharedEvent, encode: fn(&dyn Any) -> serde_json::Result<String> },
    /// Received from another process.
    Remote(Box<str>),
}

fn encode<E: Event>(event: &dyn Any) -> serde_json::Result<String> {
    // The function belongs to the type of the event.
    event.downcast_ref::<E>().map_or(Ok(String::new()), serde_json::to_string)
}

impl AnyEvent {
    pub(crate) fn remote(json: Box<str>) -> Self {
        Self { source: EventSource::Remote(json), decoded: Mutex::default() }
    }

    /// The event as the type of this consumer. Each type is decoded once.
    ///
    /// # Errors
    /// If the event cannot be read as this type.
    pub(crate) fn get<E>(&self) -> Option<Arc<E>>
    where
        E: DeserializeOwned + std::marker::Send + Sync + 'static,
    {
        if let EventSource::Local { event, .. } = &self.source
            && let Ok(event) = event.clone().downcast()
        {
            return Some(event);
        }
        let mut decoded = self.decoded.lock().unwrap_or_else(PoisonError::into_inner);
        let known = decoded.iter().find(|(id, _)| *id == TypeId::of::<E>());
        let event = match known {
            Some((_, event)) => event.clone(),
            None => {
                let event = self.json().ok().and_then(|json| serde_json::from_str::<E>(&json).ok());
                let event = event.map(|event| Arc::new(event) as SharedEvent);
                decoded.push((TypeId::of::<E>(), event.clone()));
                event
            }
        };
        event?.downcast().ok()
    }

    /// The event as JSON, for other processes.
    ///
    /// # Errors
    /// If the event has no JSON form.
    pub(crate) fn json(&self) -> Result<String, Error> {
        match &self.source {
            EventSource::Local { event, encode } => {
                encode(event.as_ref()).map_err(|error| Error::internal(NoJsonForm(error)))
            }
            EventSource::Remote(json) => Ok(json.to_string()),
        }
    }
}

/// An event that serde cannot write as JSON, such as a map whose keys are not text.
#[derive(Debug, thiserror::Error)]
#[error("an event has no JSON form, so it cannot reach other processes: {0}")]
struct NoJsonForm(#[source] serde_json::Error);

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
            Body::Frames(all) => Cost::new(all.len(), all.iter().map(EncodedPatches::bytes).sum()),
        };
        Self { group, body, cost }
    }

    /// Whether a member that missed it can catch up by its numbers.
    pub(crate) fn is_numbered(&self) -> bool {
        matches!(&self.body, Body::Frames(all) if all.iter().all(|frames| frames.seq().is_some()))
    }
}

/// Patches, encoded once per dialect and audience when the first member needs it.
pub(crate) struct EncodedPatches {
    /// The patches for everyone, or for the audience that has no name.
    patches: Vec<Patch>,
    /// The rendering for other audiences; `None` if the patches are for everyone.
    render: Option<Render>,
    /// Whether the content is only in the source.
    is_hint: bool,
    position: Option<Position>,
    /// The cost in a queue, in bytes.
    bytes: usize,
    json: OnceLock<EncodedFrames>,
    htmx: OnceLock<EncodedFrames>,
    audiences: Mutex<Vec<(Arc<str>, Dialect, EncodedFrames)>>,
    counters: Arc<Counters>,
}

impl EncodedPatches {
    pub(crate) fn new(
        patches: Vec<Patch>,
        position: Option<Position>,
        counters: Arc<Counters>,
    ) -> Self {
        Self {
            bytes: patches.iter().map(cost).sum(),
            patches,
            render: None,
            is_hint: false,
            position,
            json: OnceLock::new(),
            htmx: OnceLock::new(),
            audiences: Mutex::default(),
            counters,
        }
    }

    /// A change that is rendered for each audience.
    pub(crate) fn rendered(render: Render, position: Position, counters: Arc<Counters>) -> Self {
        let patches = render("");
        Self { render: Some(render), ..Self::new(patches, Some(position), counters) }
    }

    /// A change whose content is in the source.
    pub(crate) fn hint(position: Position, counters: Arc<Counters>) -> Self {
        Self { is_hint: true, ..Self::new(Vec::new(), Some(position), counters) }
    }

    /// Plain text: encoded immediately, for all dialects.
    pub(crate) fn text(text: &str, counters: Arc<Counters>) -> Self {
        counters.encoded();
        Self::frame(EncodedFrame::text(text.as_bytes()), counters)
    }

    /// A frame that is encoded already, the same for all dialects.
    pub(crate) fn frame(frame: EncodedFrame, counters: Arc<Counters>) -> Self {
        let bytes = frame.payload().len() + OVERHEAD;
        let frames = Self { bytes, ..Self::new(Vec::new(), None, counters) };
        let _ = frames.json.set(EncodedFrames::from([frame.clone()]));
        let _ = frames.htmx.set(EncodedFrames::from([frame]));
        frames
    }

    pub(crate) fn seq(&self) -> Option<Seq> {
        self.position.as_ref().map(|position| position.at.seq)
    }

    pub(crate) fn position(&self) -> Option<&Position> {
        self.position.as_ref()
    }

    /// The patches for everyone.
    pub(crate) fn patches(&self) -> &[Patch] {
        &self.patches
    }

    /// The text, if it is one that was not made of patches.
    pub(crate) fn text_of(&self) -> Option<String> {
        let frames = self.json.get().filter(|_| self.patches.is_empty() && !self.is_hint)?;
        let payload = frames.first()?.payload();
        Some(String::from_utf8_lossy(&payload).into_owned())
    }

    pub(crate) fn is_hint(&self) -> bool {
        self.is_hint
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Calls `write` with each frame for a member of this dialect and audience.
    pub(crate) fn for_each_frame(
        &self,
        dialect: Dialect,
        audience: Option<&Arc<str>>,
        write: impl FnMut(&EncodedFrame),
    ) {
        match (&self.render, audience) {
            (Some(render), Some(audience)) => {
                self.for_audience(render, dialect, audience).iter().for_each(write);
            }
            _ => self.for_everyone(dialect).iter().for_each(write),
        }
    }

    /// The frames for this reader.
    pub(crate) fn frames(&self, reader: &Reader) -> EncodedFrames {
        let mut frames = EncodedFrames::new();
        let push = |frame: &EncodedFrame| frames.push(frame.clone());
        self.for_each_frame(reader.dialect, reader.audience.as_ref(), push);
        frames
    }

    fn for_everyone(&self, dialect: Dialect) -> &[EncodedFrame] {
        let cell = match dialect {
            Dialect::Json => &self.json,
            Dialect::Htmx => &self.htmx,
        };
        cell.get_or_init(|| {
            self.counters.encoded();
            dialect.patches(&self.patches, self.position.as_ref())
        })
    }

    fn for_audience(
        &self,
        render: &Render,
        dialect: Dialect,
        audience: &Arc<str>,
    ) -> EncodedFrames {
        let mut audiences = self.audiences.lock().unwrap_or_else(PoisonError::into_inner);
        let known = audiences.iter().find(|(name, known, _)| name == audience && *known == dialect);
        if let Some((_, _, frames)) = known {
            return frames.clone();
        }
        self.counters.encoded();
        let frames = dialect.patches(&render(audience), self.position.as_ref());
        audiences.push((audience.clone(), dialect, frames.clone()));
        frames
    }
}

/// The cost of a patch in a queue, in bytes: its HTML, its JSON text, and an overhead for the rest.
fn cost(patch: &Patch) -> usize {
    patch.html.as_str().len() + patch.json_text.as_ref().map_or(0, String::len) + OVERHEAD
}
