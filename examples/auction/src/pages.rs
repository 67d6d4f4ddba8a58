//! The pages.

use axum::extract::{Path, State};
use axum::response::Html as Page;
use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::Auction;
use crate::bids::{LOT, feed};
use crate::error::AuctionError;
use crate::fragments::row;
use crate::person::{MaybePerson, Person};

const STYLE: &str = "
    :root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
    body { max-width: 40rem; margin: 2rem auto; padding: 0 1rem; }
    header { display: flex; gap: 1rem; align-items: center; justify-content: space-between; }
    form { display: flex; gap: .5rem; align-items: start; flex-wrap: wrap; margin: 1rem 0; }
    input, button { font: inherit; padding: .4rem .7rem; min-height: 24px; }
    ol { list-style: none; padding: 0; display: flex; flex-direction: column-reverse; }
    li { display: flex; justify-content: space-between; padding: .4rem 0; border-top: 1px solid #8884; }
    .error { color: #b3261e; flex-basis: 100%; margin: 0; min-height: 1.5em; }
    .quiet { opacity: .7; min-height: 1.5em; }
    [data-bw-busy] button { opacity: .5; }
    @media (prefers-color-scheme: dark) { .error { color: #ffb4ab; } }
";

/// Shows a notice to a person who was outbid.
const SCRIPT: &str = r#"
    document.addEventListener("auction:outbid", ({ detail }) => {
        document.getElementById("notice").textContent = `${detail.by} has outbid you: ${detail.amount}`
    })
"#;

/// The document around a page, for whoever it is.
fn document(
    auction: &Auction,
    person: Option<&Person>,
    title: &str,
    main: &Markup,
) -> Page<String> {
    let head = auction.bellwire.head();
    let head = match person {
        Some(person) => head.person(person.key()),
        None => head,
    };
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) }
                link rel="icon" href="data:,";
                style { (PreEscaped(STYLE)) }
                (head.html())
                script type="module" { (PreEscaped(SCRIPT)) }
            }
            body {
                header {
                    a href="/" { "Auction" }
                    @match person {
                        Some(person) => form method="post" action="/sign-out" {
                            span { (person.name) } button { "Sign out" }
                        }
                        None => a href="/sign-in" { "Sign in" }
                    }
                }
                p #connection-reason role="status" {}
                p #connection-sign-in hidden { "Your bid is kept. " a href="/sign-in" { "Sign in" } }
                (main)
            }
        }
    };
    Page(page.into_string())
}

/// `GET /`
pub(crate) async fn lots(
    State(auction): State<Auction>,
    MaybePerson(person): MaybePerson,
) -> Result<Page<String>, AuctionError> {
    let lots = auction.store.lots().await?;
    let main = html! {
        h1 { "Lots" }
        ul { @for lot in &lots { li { a href={ "/lots/" (lot.id) "/" } { (lot.title) } } } }
    };
    Ok(document(&auction, person.as_ref(), "Auction", &main))
}

/// `GET /sign-in`
pub(crate) async fn sign_in(
    State(auction): State<Auction>,
    MaybePerson(person): MaybePerson,
) -> Page<String> {
    let main = html! {
        h1 { "Sign in" }
        form method="post" action="/sign-in" {
            label { "Name " input name="name" autocomplete="username" required maxlength="40"; }
            button { "Sign in" }
        }
    };
    document(&auction, person.as_ref(), "Sign in", &main)
}

/// `GET /lots/{lot}/`
pub(crate) async fn lot(
    State(auction): State<Auction>,
    Path(lot): Path<i64>,
    MaybePerson(person): MaybePerson,
) -> Result<Page<String>, AuctionError> {
    // The number is read before the bids: a bid in between is then sent once more, and not missed.
    let lot = auction.store.lot(lot).await?;
    let bids = auction.store.bids(lot.id, 0).await?;
    let feed = feed(auction.bellwire.layer(), &auction.store, lot.id);
    let main = html! {
        main bw-connect={ "/live/" (lot.id) "/" } {
            h1 { (lot.title) }
            p #watchers .quiet {}
            @if person.is_some() { (bid_form(lot.id)) }
            p #notice role="status" {}
            p .quiet data-bw-state=(LOT.of(lot.id).name()) {}
            ol #bids data-feed=(feed.name()) data-seq=(feed.position(lot.seq).await?) {
                @for bid in &bids { (row(bid)) }
            }
        }
    };
    Ok(document(&auction, person.as_ref(), &lot.title, &main))
}

fn bid_form(lot: i64) -> Markup {
    html! {
        form #bid method="post" action={ "/lots/" (lot) "/bid" } bw-send="Bid" {
            input type="hidden" name="client_id";
            label {
                "Amount "
                input #amount name="amount" inputmode="numeric" autocomplete="off" required
                    aria-describedby="error--amount" bw-change="Check" bw-debounce="150";
            }
            button bw-disable { "Bid" }
            p #error--amount .error role="alert" {}
            p #error .error role="alert" {}
        }
    }
}
