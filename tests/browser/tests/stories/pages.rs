//! Checks of every page: console output, width on a phone, screenshots.

use bellwire_browser_tests::{ColorScheme, NetworkError, Person, Site};

/// Every page of the site with the name of its screenshot. Includes a room, and a room that does
/// not exist.
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

async fn has_no_console_messages(person: &Person, path: &str) {
    let messages = person.console_messages().await;
    assert!(messages.is_empty(), "console messages on {path}: {messages:#?}");
}

async fn fits_its_window(person: &Person, path: &str) {
    let script = "const page = document.documentElement; \
                  return [Math.max(page.scrollWidth, document.body.scrollWidth), window.innerWidth]";
    let width = person.run_script(script, &[]).await;
    assert_eq!(
        width,
        serde_json::json!([390, 390]),
        "{path} scrolls horizontally: actual width, window width"
    );
}

#[tokio::test]
async fn no_page_causes_console_errors_or_warnings() {
    let site = Site::open().await;
    let ada = site.person("Ada").await;
    ada.visit("/accounts/first/").await;
    has_no_console_messages(&ada, "/accounts/first/").await;
    let visitor = site.person("Visitor").await;
    ada.becomes_administrator().await;
    ada.opens_room("Garden").await;
    ada.says("a word").await;
    ada.sees("a word").await;
    for person in [&ada, &visitor] {
        person.expects(NetworkError::Status(404));
        for (path, _) in PAGES {
            person.visit(path).await;
            person
                .until("had the whole page", "return document.readyState === 'complete'", &[])
                .await;
            has_no_console_messages(person, path).await;
        }
    }
}

#[tokio::test]
async fn no_page_scrolls_horizontally_on_a_phone() {
    let site = Site::open().await;
    let ada = site.person("Ada").await;
    let visitor = site.person("Visitor").await;
    for person in [&ada, &visitor] {
        person.expects(NetworkError::Status(404));
        person.sets_window_size(390, 844).await;
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
        for scheme in [ColorScheme::Light, ColorScheme::Dark] {
            person.takes_screenshot(name, 390, scheme).await;
            person.takes_screenshot(name, 1280, scheme).await;
        }
    }
}
