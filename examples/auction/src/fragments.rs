//! The fragments that change a page: typed data in, patches out.

use bellwire::{Html, Patch};
use maud::{Markup, html};

use crate::person::Person;
use crate::store::Bid;

/// A bid in the list.
pub(crate) fn row(bid: &Bid) -> Markup {
    html! { li id={ "bid--" (bid.seq) } { span { (bid.name) } b { (bid.amount) } } }
}

/// Appends a bid.
pub(crate) fn new_bid(bid: &Bid) -> Patch {
    Patch::append("#bids", row(bid).into())
}

/// Replaces all bids.
pub(crate) fn all_bids(bids: &[Bid]) -> Patch {
    Patch::inner("#bids", html! { @for bid in bids { (row(bid)) } }.into())
}

/// The names of those who watch the lot.
pub(crate) fn watchers(names: &[String]) -> Patch {
    let html = html! { @if !names.is_empty() { "Watching: " (names.join(", ")) } };
    Patch::inner("#watchers", html.into())
}

/// Says that a person is about to bid.
pub(crate) fn thinking(person: &Person) -> Html {
    html! { (person.name) " is about to bid … " }.into()
}
