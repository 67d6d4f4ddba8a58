//! A site with its own name, front page, shell and theme, an app with state, a background task, and
//! a command: `cargo run -p bellwire-site --example garden -- water roses`.

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::HeaderValue;
use axum::middleware::map_response;
use axum::response::{Redirect, Response};
use axum::routing::{get, post};
use bellwire_site::bellwire::{Consumer, Error, Frame, Html, Socket};
use bellwire_site::{
    App, Command, Live, NavItem, Page, Rendered, Settings, Shell, ShellPage, Site, SiteState,
};
use rust_embed::RustEmbed;
use tokio_util::sync::CancellationToken;

/// The style sheet that themes the whole site.
#[derive(RustEmbed)]
#[folder = "$CARGO_MANIFEST_DIR/examples/garden"]
struct Style;

/// The app's state: the number of watered beds.
#[derive(Debug, Default)]
struct Watered(AtomicUsize);

/// A shell without navigation.
#[derive(Debug)]
struct PlainShell;

impl Shell for PlainShell {
    fn render(&self, page: &ShellPage<'_>) -> Rendered {
        let (title, main, live) = (Html::text(&page.title), page.main, &page.live);
        let visitor = Html::text(page.viewer.map_or("a visitor", |viewer| &viewer.name));
        let connect = page
            .connect
            .map(|path| format!(" bw-connect=\"{}\"", Html::text(path)))
            .unwrap_or_default();
        let theme = page
            .theme
            .iter()
            .map(|path| format!("<link rel=\"stylesheet\" href=\"{}/{path}\">", page.build));
        let theme: String = theme.collect();
        Ok(format!(
            "<!doctype html><html lang=\"en\"><title>{title}</title>{theme}{live}\
             <main id=\"main\"{connect}>{main}</main><p>You are {visitor}.</p></html>"
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

/// The consumer of the beds' socket. The page computes the socket's path from the state.
struct Bed;

impl Consumer for Bed {
    type Action = Frame;
    type Event = ();
    type Error = Error;

    async fn receive(&mut self, socket: &mut Socket<Self>, frame: Frame) -> Result<(), Error> {
        socket.send(frame).await
    }
}

async fn bed(Path(_watered): Path<usize>, live: Live) -> Response {
    live.run(Bed)
}

/// Waters one bed a day until the site stops.
async fn rain(site: SiteState, stop: CancellationToken) {
    let day = Duration::from_secs(24 * 60 * 60);
    while stop.run_until_cancelled(tokio::time::sleep(day)).await.is_some() {
        if let Some(watered) = site.get::<Arc<Watered>>() {
            watered.0.fetch_add(1, Ordering::Relaxed);
        }
    }
    tracing::warn!("The rain has stopped");
}

fn command() -> Command {
    let arguments =
        clap::Command::new("water").about("Waters a bed").arg(clap::arg!(<BED> "The bed to water"));
    Command::new(arguments, |site, arguments| async move {
        let bed: &String = arguments.get_one("BED").ok_or("BED is missing")?;
        use std::io::Write;
        writeln!(std::io::stdout(), "{bed} in {} has water", site.name())?;
        Ok(())
    })
}

fn main() -> ExitCode {
    let front = App::new("gate").assets::<Style>().router(Router::new().route("/", get(gate)));
    let garden = App::new("beds")
        .routes(|_site| {
            Router::new()
                .route("/beds/", get(beds))
                .route("/beds/water/", post(water))
                .route("/ws/beds/{watered}/", get(bed))
        })
        .nav_item(NavItem { title: "Beds", path: "/beds/", about: "What grows here." })
        .command(command());
    Site::builder(Settings::from_environment())
        .name("Garden")
        .about("A garden to look at", env!("CARGO_PKG_VERSION"))
        .home(front)
        .app(garden)
        .shell(PlainShell)
        .theme("gate/garden.css")
        .layer(map_response(async |mut response: Response| {
            response.headers_mut().insert("x-garden", HeaderValue::from_static("open"));
            response
        }))
        .content_security_policy("img-src", "https://flowers.example")
        .state(Arc::new(Watered::default()))
        .background("rain", rain)
        .run()
}
