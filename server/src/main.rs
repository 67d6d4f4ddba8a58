//! The program `bellwire`: the apps become one site. The only place where they meet.

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
