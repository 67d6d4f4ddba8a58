//! What is true of every page.

use bellwire_browser_tests::{Person, Scheme, Stage, Trouble};

/// Every page of the site with a name for its picture; a room among them, and one that does not
/// exist.
const PAGES: [(&str, &str); 9] = [
    ("/", "home"),
    ("/chat/", "rooms"),
    ("/chat/garden/", "room"),
    ("/chat/nowhere/", "unknown-room"),
    ("/blog/", "blog"),
    ("/blog/about/", "blog-about"),
    ("/accounts/login/", "sign-in"),
    ("/accounts/signup/", "sign-up"),
    ("/social/", "social"),
];

async fn complains_about_nothing(person: &Person, path: &str) {
    let complaints = person.complaints().await;
    assert!(complaints.is_empty(), "the browser complains about {path}: {complaints:#?}");
}

async fn fits_its_window(person: &Person, path: &str) {
    let script = "const page = document.documentElement; \
                  return [Math.max(page.scrollWidth, document.body.scrollWidth), window.innerWidth]";
    let width = person.ask(script, &[]).await;
    assert_eq!(width, serde_json::json!([390, 390]), "{path} scrolls sideways: wanted, seen");
}

#[tokio::test]
async fn no_page_makes_the_browser_complain() {
    let stage = Stage::open().await;
    let ada = stage.person("Ada").await;
    ada.visit("/accounts/first/").await;
    complains_about_nothing(&ada, "/accounts/first/").await;
    let visitor = stage.person("Visitor").await;
    ada.becomes_administrator().await;
    ada.opens_room("Garden").await;
    ada.says("a word").await;
    ada.sees("a word").await;
    for person in [&ada, &visitor] {
        person.expects(Trouble::Status(404));
        for (path, _) in PAGES {
            person.visit(path).await;
            person
                .until("had the whole page", "return document.readyState === 'complete'", &[])
                .await;
            complains_about_nothing(person, path).await;
        }
    }
}

#[tokio::test]
async fn nothing_scrolls_sideways_on_a_phone() {
    let stage = Stage::open().await;
    let ada = stage.person("Ada").await;
    let visitor = stage.person("Visitor").await;
    for person in [&ada, &visitor] {
        person.expects(Trouble::Status(404));
        person.has_a_window(390, 844).await;
    }
    ada.becomes_administrator().await;
    ada.opens_room("Garden").await;
    ada.says(&format!("a long word: {}", "w".repeat(300))).await;
    ada.until(
        "sent it",
        "return document.querySelectorAll('#messages-list .message').length === 1",
        &[],
    )
    .await;
    for person in [&ada, &visitor] {
        for (path, _) in PAGES {
            person.visit(path).await;
            fits_its_window(person, path).await;
        }
    }
    for (path, name) in PAGES {
        let person = if path.starts_with("/accounts") { &visitor } else { &ada };
        person.visit(path).await;
        for scheme in [Scheme::Light, Scheme::Dark] {
            person.takes_a_picture(name, 390, scheme).await;
            person.takes_a_picture(name, 1280, scheme).await;
        }
    }
}
