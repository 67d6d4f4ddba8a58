//! Small demos. Each is one short file with its pages, its consumer, its actions and its fragments.

mod overview;
mod echo;
mod bingo;
mod bmi;
mod uppercase;
mod laps;
mod todo;
mod pages;
mod htmx;

use askama::Template;
use axum::Router;
use bellwire_site::bellwire::Html;
use bellwire_site::markup::is_invisible;
use bellwire_site::{App, NavItem, Page, SiteError, SiteState};
use rust_embed::RustEmbed;

/// The styles and scripts of the demos.
#[derive(RustEmbed)]
#[folder = "static/playground"]
struct Assets;

/// The playground, as an app of a site.
pub fn app() -> App {
    App::new("playground").routes(routes).assets::<Assets>().nav_item(NavItem {
        title: "Playground",
        path: "/playground/",
        about: "Small demos: a clock, bingo, forms that answer while you type, \
                a single-page site, and more.",
    })
}

fn routes(site: &SiteState) -> Router<SiteState> {
    Router::new()
        .merge(overview::routes())
        .merge(echo::routes(site))
        .merge(bingo::routes(site))
        .merge(bmi::routes())
        .merge(uppercase::routes())
        .merge(laps::routes())
        .merge(todo::routes())
        .merge(pages::routes())
        .merge(htmx::routes())
}

/// The page of a demo. `about` is its description for search engines and link previews.
fn page(title: &str, about: &str, main: &impl Template) -> Result<Page, SiteError> {
    Ok(Page::new(title, Html::from_template(main)?)
        .description(about)
        .style("playground/playground.css"))
}

/// Sanitizes one line of input: removes control characters, invisible characters and direction
/// marks, and keeps joiners, as in emoji.
fn visible(input: &str) -> String {
    let text: String = input.chars().filter(|c| !c.is_control() && !is_invisible(*c)).collect();
    text.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use bellwire_site::bellwire::{Action, ActionSpec};
    use bellwire_testkit::{TestDatabase, TestSite, check_actions};

    use super::*;

    #[tokio::test]
    async fn pages_name_only_actions_that_their_consumer_reads() {
        fn row<A: Action>(
            page: &'static str,
            socket: &'static str,
        ) -> (&'static str, &'static str, &'static [ActionSpec]) {
            (page, socket, A::SPECS)
        }
        let rows = [
            row::<echo::EchoAction>("/echo/", "/ws/echo/"),
            row::<bingo::BingoAction>("/bingo/", "/ws/bingo/"),
            row::<bmi::BmiAction>("/bmi/", "/ws/bmi/"),
            row::<uppercase::UppercaseAction>("/uppercase/", "/ws/uppercase/"),
            row::<laps::LapsAction>("/laps/", "/ws/laps/"),
            row::<todo::TodoAction>("/todo/", "/ws/todo/"),
            row::<pages::PagesAction>("/pages/", "/ws/example/"),
        ];
        let site = TestSite::start(&TestDatabase::Sqlite, vec![app()]).await;
        for (page, socket, specs) in rows {
            check_actions(&mut site.client(), page, &[(socket, specs)]).await;
        }
        site.stop().await;
    }
}
