//! What there is to play with.

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
        "The same second in every window, from one ticking task for all.",
    ),
    demo(
        "Bingo",
        "/bingo/",
        "A ticket of your own, and every second a ball that is the same for everyone.",
    ),
    demo(
        "Body mass index",
        "/bmi/",
        "A form that is answered over the socket, with what is wrong beside its field.",
    ),
    demo("Uppercase", "/uppercase/", "What you type comes back in capital letters while you type."),
    demo("Laps", "/laps/", "A list that grows at its end and is never drawn again."),
    demo(
        "To-do",
        "/todo/",
        "Tasks that stay without an account, the same in every window of yours.",
    ),
    demo(
        "A site in one page",
        "/pages/",
        "Pages that change over the socket; address, back button and signing in included.",
    ),
    demo(
        "Chat in htmx 2",
        "/htmx/",
        "The smallest chat: unmodified htmx, its ws extension, and nothing of ours in the browser.",
    ),
    demo(
        "Chat in htmx 4",
        "/htmx/4/",
        "The same rooms for htmx 4 and its hx-ws, with the same server.",
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
    let about = "Small demos of pages that stay live. Each is one short file of the source.";
    crate::page("Playground", about, &Overview { demos: &DEMOS })
}
