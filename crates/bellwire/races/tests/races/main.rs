//! The promises of the layer under concurrency. See docs/channel-layer.md, "How the races are
//! tested".

mod access;
mod backplanes;
mod batches;
mod feeds;
mod groups;
mod queues;
mod presence;
mod tickers;

use bellwire_races::{
    Bellwire, CatchUp, Error, Feed, FeedSource, GroupHandle, GroupName, Html, Layer, Patch, Seq,
    Topic,
};

const ROOM: Topic<u8, u64> = Topic::new("room");

fn room() -> GroupName {
    ROOM.of(1).name().clone()
}

fn group(layer: &Layer) -> GroupHandle<u64> {
    layer.group(ROOM.of(1))
}

/// The source of changes that nobody follows.
struct Unread;

impl FeedSource for Unread {
    async fn catch_up(&self, _: Option<Seq>, _: &str) -> Result<CatchUp, Error> {
        Err(Error::refused("nobody follows it"))
    }
}

/// The feed of a room, for members that do not follow it.
fn feed(layer: &Layer, room: u8) -> Feed<u64, Unread> {
    layer.feed(ROOM.of(room), Unread)
}

fn bellwire() -> Bellwire {
    Bellwire::builder("http://127.0.0.1:8000").build().unwrap()
}

/// A patch that a page logs as `<selector> <n>`.
fn patch(selector: &'static str, n: Seq) -> Patch {
    Patch::append(selector, Html::text(&n.to_string()))
}
