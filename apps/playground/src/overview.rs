//! The list of demos.

use askama::Template;
use axum::Router;
use axum::routing::get;
use bellwire_site::{Page, SiteError, SiteState};

pub(crate) fn routes() -> Router<SiteState> {
    Router::new().route("/playground/", get(show))
}

struct Demo {
    title: &'static str,
    path: &'static str,
    about: &'static str,
}

const DEMOS: [Demo; 9] = [
    demo(
        "Echo and clock",
        "/echo/",
        "The time in UTC, the same in every window, sent once a second.",
    ),
    demo(
        "Bingo",
        "/bingo/",
        "Your own ticket, and every second a ball that is the same for everyone.",
    ),
    demo(
        "Body mass index",
        "/bmi/",
        "A form that is answered over the socket, with each error beside its field.",
    ),
    demo("Uppercase", "/uppercase/", "Your text in capital letters, while you type."),
    demo("Laps", "/laps/", "A list that grows at its end and is never rendered again."),
    demo(
        "To-do",
        "/todo/",
        "Tasks that are kept without an account, the same in all of your windows.",
    ),
    demo(
        "Single-page site",
        "/pages/",
        "Pages that change over the socket, with address, back button and sign-in.",
    ),
    demo(
        "Chat in htmx 2",
        "/htmx/",
        "The smallest chat: unmodified htmx, its ws extension, and no bellwire.js.",
    ),
    demo(
        "Chat in htmx 4",
        "/htmx/4/",
        "The same rooms with htmx 4 and its hx-ws extension, on the same server.",
    ),
];

const fn demo(title: &'static str, path: &'static str, about: &'static str) -> Demo {
    Demo { title, path, about }
}

#[derive(Template)]
#[template(path = "playground/overview.html")]
struct Overview {
    demos: &'static [Demo],
}

async fn show() -> Result<Page, SiteError> {
    let about = "Small demos of live pages. Each is one short source file.";
    crate::page("Playground", about, &Overview { demos: &DEMOS })
}
