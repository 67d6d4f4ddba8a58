//! A site with a name, a front page, a shell and a theme of its own, an app with state, a background
//! task, and a command: `cargo run --example garden -- water roses`.

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::response::Redirect;
use axum::routing::{get, post};
use bellwire_site::bellwire::Html;
use bellwire_site::{App, Card, Command, Page, Rendered, Settings, Shell, ShellPage, Site, SiteState};
use tokio_util::sync::CancellationToken;

/// The number of beds that were watered: the state of the app.
#[derive(Debug, Default)]
struct Watered(AtomicUsize);

/// A document without navigation.
#[derive(Debug)]
struct Fence;

impl Shell for Fence {
    fn render(&self, page: &ShellPage<'_>) -> Rendered {
        let (title, main, build) = (Html::text(&page.title), page.main, page.build);
        let visitor = page.viewer.map_or("a visitor", |viewer| &viewer.name);
        let visitor = Html::text(visitor);
        Ok(format!(
            "<!doctype html><html lang=\"en\"><title>{title}</title>\
             <script type=\"module\" src=\"{build}/bellwire.js\"></script>\
             <main id=\"main\">{main}</main><p>You are {visitor}.</p></html>"
        ))
    }
}

async fn gate() -> Page {
    Page::new("", Html::trusted("<h1>The garden</h1><a href=\"/beds/\">Beds</a>"))
}

async fn beds(State(site): State<SiteState>) -> Page {
    let watered = site.get::<Arc<Watered>>().map_or(0, |watered| watered.0.load(Ordering::Relaxed));
    Page::new("Beds", Html::text(&format!("{watered} beds were watered.")))
        .connect(format!("/ws/beds/{watered}/"))
}

async fn water(State(site): State<SiteState>) -> Redirect {
    if let Some(watered) = site.get::<Arc<Watered>>() {
        watered.0.fetch_add(1, Ordering::Relaxed);
    }
    Redirect::to("/beds/")
}

/// Rains once a day, until the site stops.
async fn rain(site: SiteState, stop: CancellationToken) {
    let day = Duration::from_secs(24 * 60 * 60);
    while stop.run_until_cancelled(tokio::time::sleep(day)).await.is_some() {
        if let Some(watered) = site.get::<Arc<Watered>>() {
            watered.0.fetch_add(1, Ordering::Relaxed);
        }
    }
}

fn command() -> Command {
    let arguments = clap::Command::new("water").about("Waters a bed").arg(clap::arg!(<BED> "Which one"));
    Command::new(arguments, |site, arguments| async move {
        let bed: &String = arguments.get_one("BED").ok_or("BED is missing")?;
        use std::io::Write;
        writeln!(std::io::stdout(), "{bed} in {} has water", site.name())?;
        Ok(())
    })
}

fn main() -> ExitCode {
    let front = App::new("gate").router(Router::new().route("/", get(gate)));
    let garden = App::new("beds")
        .routes(|_site| Router::new().route("/beds/", get(beds)).route("/beds/water/", post(water)))
        .card(Card { title: "Beds", path: "/beds/", about: "What grows here." })
        .command(command());
    Site::builder(Settings::from_environment())
        .name("Garden")
        .about("A garden to look at", env!("CARGO_PKG_VERSION"))
        .home(front)
        .app(garden)
        .shell(Fence)
        .content_security_policy("img-src", "https://flowers.example")
        .state(Arc::new(Watered::default()))
        .background("rain", rain)
        .run()
}
