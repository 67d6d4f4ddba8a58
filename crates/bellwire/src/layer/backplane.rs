//! Backplane between processes: each send is carried once to every process with members.

use std::time::Duration;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::html::StoredPatch;
use crate::outbound::{AnyEvent, ChannelName, Send};
use crate::position::Seq;
use crate::{Close, Error, GroupName, Html, Patch};

/// A carrier of messages between processes. Without one the layer works in this process's memory.
///
/// A backplane promises little: a message reaches each other process that listens to the group at
/// most once, and messages of one sender arrive in order while nothing fails. Changes that must not
/// be lost are numbered, and missing numbers are filled in from the source of truth.
pub trait Backplane: std::marker::Send + Sync + 'static {
    /// Sends the message to every other process that listens to the group. Must not block: queue
    /// the message, and drop it if the queue is full.
    fn publish(&self, group: &GroupName, message: Bytes);

    /// Starts receiving the group's messages: this process has its first member in it.
    fn listen(&self, group: &GroupName);

    /// Stops receiving the group's messages: this process has no member in it any more.
    fn ignore(&self, group: &GroupName);
}

/// A send, serialized for other processes. Only processes of the same site write it, so its HTML is
/// trusted.
#[derive(Serialize, Deserialize)]
struct Envelope {
    #[serde(skip_serializing_if = "Option::is_none")]
    except: Option<ChannelName>,
    body: Body,
}

#[derive(Serialize, Deserialize)]
enum Body {
    Event(Box<RawValue>),
    Patches { patches: Vec<StoredPatch>, seq: Option<Seq> },
    Hint { seq: Seq },
    State { key: String, html: Option<String>, millis: u64 },
    Text(String),
    Close(Close),
    Remove(String),
}

/// A backplane message that no process of this site can have sent.
#[derive(Debug, thiserror::Error)]
#[error("a message from the backplane cannot be read: {0}")]
pub struct MalformedMessage(String);

/// Packs a send.
///
/// # Errors
/// If an event has no JSON form.
pub(super) fn pack(send: &Send, except: Option<ChannelName>) -> Result<Bytes, Error> {
    let body = match send {
        Send::Event(event) => Body::Event(RawValue::from_string(event.json()?)?),
        Send::Patches(patches, seq) => {
            Body::Patches { patches: patches.iter().map(StoredPatch::from).collect(), seq: *seq }
        }
        // Closures stay in their process. Others render the change from the source.
        Send::Rendered(_, seq) | Send::Hint(seq) => Body::Hint { seq: *seq },
        Send::State(key, shown) => Body::State {
            key: key.to_string(),
            html: shown.as_ref().map(|(html, _)| html.to_string()),
            millis: shown.as_ref().map_or(0, |(_, ttl)| millis(*ttl)),
        },
        Send::Text(text) => Body::Text(text.to_string()),
        Send::Close(close) => Body::Close(close.clone()),
        Send::Remove(group) => Body::Remove(group.as_str().to_owned()),
    };
    Ok(serde_json::to_vec(&Envelope { except, body })?.into())
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

pub(super) fn unpack(message: &[u8]) -> Result<(Send, Option<ChannelName>), MalformedMessage> {
    let malformed = |error: &dyn std::fmt::Display| MalformedMessage(error.to_string());
    let Envelope { except, body } = serde_json::from_slice(message).map_err(|e| malformed(&e))?;
    let send = match body {
        Body::Event(json) => Send::Event(AnyEvent::remote(Box::<str>::from(json.get()))),
        Body::Patches { patches, seq } => {
            Send::Patches(patches.into_iter().map(Patch::from).collect(), seq)
        }
        Body::Hint { seq } => Send::Hint(seq),
        Body::State { key, html, millis } => {
            let ttl = Duration::from_millis(millis);
            let shown = html.map(|html| (Html::trusted(html), ttl));
            Send::State(key.parse().map_err(|error| malformed(&error))?, shown)
        }
        Body::Text(text) => Send::Text(text.into()),
        Body::Close(close) => Send::Close(close),
        Body::Remove(group) => Send::Remove(GroupName::new(group).map_err(|e| malformed(&e))?),
    };
    Ok((send, except))
}
