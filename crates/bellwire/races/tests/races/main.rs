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

use bellwire_races::{Bellwire, Group, GroupName, Html, Layer, Patch};

fn room() -> GroupName {
    GroupName::of("room", 1)
}

fn group(layer: &Layer) -> Group<u64> {
    layer.group(room())
}

fn bellwire() -> Bellwire {
    Bellwire::builder("http://127.0.0.1:8000").build().unwrap()
}

/// A patch that a page logs as `<selector> <n>`.
fn patch(selector: &'static str, n: u64) -> Patch {
    Patch::append(selector, Html::text(&n.to_string()))
}
