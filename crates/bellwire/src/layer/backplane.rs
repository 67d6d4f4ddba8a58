//! Backplane between processes: each send is carried once to every process with members.

use std::borrow::Cow;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::outbound::{AnyEvent, Send};
use crate::{ChannelName, Close, GroupName, Html, Patch, Seq, Swap};

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
    Patches { patches: Vec<PatchMessage>, seq: Option<Seq> },
    Text(String),
    Close(Close),
    Remove(String),
}

#[derive(Serialize, Deserialize)]
struct PatchMessage {
    swap: Swap,
    selector: Cow<'static, str>,
    html: String,
    url: Option<String>,
    title: Option<String>,
    focus: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    json_text: Option<String>,
}

/// A backplane message that no process of this site can have sent.
#[derive(Debug, thiserror::Error)]
#[error("a message from the backplane cannot be read: {0}")]
pub struct MalformedMessage(String);

pub(super) fn pack(send: &Send, except: Option<ChannelName>) -> Option<Bytes> {
    let body = match send {
        Send::Event(event) => Body::Event(RawValue::from_string(event.json()?).ok()?),
        Send::Patches(patches, seq) => {
            Body::Patches { patches: patches.iter().map(PatchMessage::from).collect(), seq: *seq }
        }
        Send::Text(text) => Body::Text(text.to_string()),
        Send::Close(close) => Body::Close(close.clone()),
        Send::Remove(group) => Body::Remove(group.as_str().to_owned()),
    };
    serde_json::to_vec(&Envelope { except, body }).ok().map(Bytes::from)
}

pub(super) fn unpack(message: &[u8]) -> Result<(Send, Option<ChannelName>), MalformedMessage> {
    let malformed = |error: &dyn std::fmt::Display| MalformedMessage(error.to_string());
    let Envelope { except, body } = serde_json::from_slice(message).map_err(|e| malformed(&e))?;
    let send = match body {
        Body::Event(json) => Send::Event(AnyEvent::remote(Box::<str>::from(json.get()))),
        Body::Patches { patches, seq } => {
            Send::Patches(patches.into_iter().map(Patch::from).collect(), seq)
        }
        Body::Text(text) => Send::Text(text.into()),
        Body::Close(close) => Send::Close(close),
        Body::Remove(group) => Send::Remove(GroupName::new(group).map_err(|e| malformed(&e))?),
    };
    Ok((send, except))
}

impl From<&Patch> for PatchMessage {
    fn from(patch: &Patch) -> Self {
        let Patch { swap, selector, html, url, title, focus, json_text } = patch.clone();
        Self { swap, selector, html: html.as_str().to_owned(), url, title, focus, json_text }
    }
}

impl From<PatchMessage> for Patch {
    fn from(message: PatchMessage) -> Self {
        let PatchMessage { swap, selector, html, url, title, focus, json_text } = message;
        Self { swap, selector, html: Html::trusted(html), url, title, focus, json_text }
    }
}
