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

const DEMOS: [Demo; 4] = [
    Demo {
        title: "Echo and clock",
        path: "/echo/",
        about: "The same second in every window, from one ticking task for all.",
    },
    Demo {
        title: "Bingo",
        path: "/bingo/",
        about: "A ticket of your own, and every second a ball that is the same for everyone.",
    },
    Demo {
        title: "Body mass index",
        path: "/bmi/",
        about: "A form that is answered over the socket, with what is wrong beside its field.",
    },
    Demo {
        title: "Uppercase",
        path: "/uppercase/",
        about: "What you type comes back in capital letters while you type.",
    },
];

#[derive(Template)]
#[template(path = "playground/overview.html")]
struct Overview {
    demos: &'static [Demo],
}

async fn show() -> Result<Page, SiteError> {
    let about = "Small demos of pages that stay live. Each is one short file of the source.";
    crate::page("Playground", about, &Overview { demos: &DEMOS })
}
