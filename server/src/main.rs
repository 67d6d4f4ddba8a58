//! The `bellwire` program: assembles all apps into one site. No other crate names several apps.

use std::process::ExitCode;

use bellwire_site::{Settings, Site};

fn main() -> ExitCode {
    Site::builder(Settings::from_environment())
        .name("Bellwire")
        .about(
            "Server-rendered pages that stay live over one WebSocket.",
            env!("CARGO_PKG_VERSION"),
        )
        .home(bellwire_home::app())
        .app(bellwire_chat::app())
        .app(bellwire_blog::app())
        .app(bellwire_social::app())
        .app(bellwire_playground::app())
        .run()
}
