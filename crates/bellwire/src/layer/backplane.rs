//! The seam between processes: what another process needs to know of a send, once, however many members it has there.

use std::borrow::Cow;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::ChannelName;
use super::delivery::{AnyEvent, Send};
use crate::patch::{How, Html, Patch};
use crate::{Close, GroupName, Seq};

/// Carries messages between processes. Without one the layer is this process's memory.
///
/// A backplane promises little: a message reaches each other process that listens to the group at most once, and those of one
/// sender in order while nothing fails. What must not be lost is numbered and filled from the source of truth.
pub trait Backplane: std::marker::Send + Sync + 'static {
    /// Carries the message to every other process that listens to the group. Must not block: it queues, and drops when its queue is full.
    fn publish(&self, group: &GroupName, message: Bytes);

    /// This process has its first member in the group.
    fn listen(&self, group: &GroupName);

    /// This process has no member in the group any more.
    fn ignore(&self, group: &GroupName);
}

/// A send as it crosses. Only our own processes write it: its HTML is as trusted as theirs.
#[derive(Serialize, Deserialize)]
struct Envelope {
    #[serde(skip_serializing_if = "Option::is_none")]
    except: Option<ChannelName>,
    body: Body,
}

#[derive(Serialize, Deserialize)]
enum Body {
    Event(Box<RawValue>),
    Patches { patches: Vec<Wired>, seq: Option<Seq> },
    Text(String),
    Close(Close),
    Expel(String),
}

#[derive(Serialize, Deserialize)]
struct Wired {
    how: How,
    selector: Cow<'static, str>,
    html: String,
    url: Option<String>,
    title: Option<String>,
    focus: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    plain: Option<String>,
}

/// A message that another process of ours cannot have sent.
#[derive(Debug, thiserror::Error)]
#[error("a message from the backplane cannot be read: {0}")]
pub struct Garbled(String);

pub(super) fn pack(send: &Send, except: Option<ChannelName>) -> Option<Bytes> {
    let body = match send {
        Send::Event(event) => Body::Event(RawValue::from_string(event.json()?).ok()?),
        Send::Patches(patches, seq) => {
            Body::Patches { patches: patches.iter().map(Wired::from).collect(), seq: *seq }
        }
        Send::Text(text) => Body::Text(text.to_string()),
        Send::Close(close) => Body::Close(close.clone()),
        Send::Expel(group) => Body::Expel(group.as_str().to_owned()),
    };
    serde_json::to_vec(&Envelope { except, body }).ok().map(Bytes::from)
}

pub(super) fn unpack(message: &[u8]) -> Result<(Send, Option<ChannelName>), Garbled> {
    let garbled = |error: &dyn std::fmt::Display| Garbled(error.to_string());
    let Envelope { except, body } = serde_json::from_slice(message).map_err(|e| garbled(&e))?;
    let send = match body {
        Body::Event(json) => Send::Event(AnyEvent::there(Box::<str>::from(json.get()))),
        Body::Patches { patches, seq } => Send::Patches(patches.into_iter().map(Patch::from).collect(), seq),
        Body::Text(text) => Send::Text(text.into()),
        Body::Close(close) => Send::Close(close),
        Body::Expel(group) => Send::Expel(GroupName::new(group).map_err(|e| garbled(&e))?),
    };
    Ok((send, except))
}

impl From<&Patch> for Wired {
    fn from(patch: &Patch) -> Self {
        let Patch { how, selector, html, url, title, focus, plain } = patch.clone();
        Self { how, selector, html: html.as_str().to_owned(), url, title, focus, plain }
    }
}

impl From<Wired> for Patch {
    fn from(wired: Wired) -> Self {
        let Wired { how, selector, html, url, title, focus, plain } = wired;
        Self { how, selector, html: Html::trusted(html), url, title, focus, plain }
    }
}
