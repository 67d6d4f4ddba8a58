//! Accessibility checks by axe, in both colour schemes and at the widths of a desktop and a phone.

use bellwire_browser_tests::{ColorScheme, NetworkError, Person, Site};
use serde_json::{Value, json};

const AXE: &str = include_str!("../../fixtures/axe-core-4.14.1/axe.min.js");

/// Returns the serious and critical violations, one line for each element. Finishes animations
/// first, so that colours are final.
const CHECK: &str = "return (async () => {
    for (const moving of document.getAnimations()) try { moving.finish() } catch { moving.cancel() }
    const { violations } = await axe.run(document, { resultTypes: ['violations'] })
    return violations.filter(({ impact }) => ['serious', 'critical'].includes(impact)).flatMap(({ id, impact, nodes }) =>
      nodes.map(({ target, failureSummary }) => `${impact} ${id} at ${target.join(' ')}: ${failureSummary.replace(/\\s+/g, ' ')}`))
  })()";

const MESSAGES: [&str; 4] = [
    "The garden opens at nine, @Ben: bring *gloves* and a **spade**.",
    "> bring gloves\n\nI have two pairs. See https://example.org/gloves and `cargo run`:\n\n```rust\nfn main() {}\n```",
    "1. dig\n2. sow\n3. wait\n\nand\n\n- water\n- wait again",
    "said in haste",
];

/// Collects the violations on this page at each width and in each colour scheme.
async fn checks_page(person: &Person, page: &str, path: &str, found: &mut Vec<String>) {
    person.visit(path).await;
    person.until("had the whole page", "return document.readyState === 'complete'", &[]).await;
    if person.run_script("return document.querySelector('[bw-connect]') !== null", &[]).await
        == json!(true)
    {
        person.is_connected().await;
    }
    person.run_script(AXE, &[]).await;
    for (width, height) in [(1280, 800), (390, 844)] {
        person.sets_window_size(width, height).await;
        for scheme in [ColorScheme::Light, ColorScheme::Dark] {
            person.prefers(scheme).await;
            let is_applied = "return innerWidth === arguments[0] && matchMedia('(prefers-color-scheme: dark)').matches === arguments[1]";
            person
                .until(
                    "had that window",
                    is_applied,
                    &[json!(width), json!(scheme == ColorScheme::Dark)],
                )
                .await;
            let Value::Array(lines) = person.run_script(CHECK, &[]).await else {
                panic!("axe did not run on the page {page} ({path}, {width}, {scheme:?})")
            };
            let line = |line: &Value| {
                format!("{page}, {width}, {scheme:?}: {}", line.as_str().unwrap_or_default())
            };
            found.extend(lines.iter().map(line));
        }
    }
}

#[tokio::test]
async fn axe_finds_no_serious_violation_on_the_pages_of_the_chat() {
    let site = Site::open().await;
    let (ada, ben) = (site.person("Ada").await, site.person("Ben").await);
    ada.becomes_administrator().await;
    ben.signs_up().await;
    ben.opens_room("Garden").await;
    ada.opens_room("Garden").await;
    ada.posts_messages("/chat/garden/", &MESSAGES.map(str::to_owned)).await;
    ben.posts_messages("/chat/garden/", &["Ben's own words about the garden, for @Ada".to_owned()])
        .await;
    let hasty = ada.id_of_message("/chat/garden/", "said in haste").await;
    ada.posts(&format!("/chat/-/messages/{hasty}/"), &[("message", "said with care")]).await;
    let room = ada.run_script("return document.querySelector('.room').dataset.room", &[]).await;
    let settings = format!("/chat/-/rooms/{}/", room.as_str().expect("the room's number"));
    ada.posts(&format!("/chat/-/people/{}/", ben.id().await), &[]).await;

    let mut found = Vec::new();
    let stranger = site.person("Cem").await;
    checks_page(&stranger, "sign in", "/accounts/login/", &mut found).await;
    for (page, path) in [
        ("rooms", "/chat/"),
        ("room", "/chat/garden/"),
        ("people", "/chat/-/people/"),
        ("search", "/chat/-/search/?q=garden"),
        ("room settings", &settings),
    ] {
        checks_page(&ada, page, path, &mut found).await;
    }
    assert!(found.is_empty(), "axe found {} violations:\n{}", found.len(), found.join("\n"));
}

#[tokio::test]
async fn axe_finds_no_serious_violation_on_the_pages_of_the_blog() {
    let site = Site::open().await;
    let (ada, stranger) = (site.person("Ada").await, site.person("Cem").await);
    ada.becomes_administrator().await;
    let text = "## Cups\n\nA *cup*, a **pot**, [a link](https://example.org) and `code`.\n\n> quoted\n\n- a\n- b\n\n---\n\n```rust\nfn main() {}\n```";
    for (title, wanted) in [("Tea", "publish"), ("Bread", "draft")] {
        ada.posts("/blog/write/", &[("title", title), ("content", text), ("do", wanted)]).await;
    }
    ada.posts(
        "/blog/article/tea/",
        &[("author", "Ada"), ("content", "**Lovely**, see https://example.org")],
    )
    .await;
    let mut found = Vec::new();
    for (page, path) in [
        ("list", "/blog/"),
        ("search", "/blog/?search=none"),
        ("article", "/blog/article/tea/"),
        ("about", "/blog/about/"),
    ] {
        checks_page(&stranger, page, path, &mut found).await;
    }
    for (page, path) in [
        ("article, for staff", "/blog/article/tea/"),
        ("draft", "/blog/article/bread/"),
        ("drafts", "/blog/drafts/"),
        ("write", "/blog/write/"),
        ("edit", "/blog/article/tea/edit/"),
        ("staff", "/accounts/staff/"),
    ] {
        checks_page(&ada, page, path, &mut found).await;
    }
    assert!(found.is_empty(), "axe found {} violations:\n{}", found.len(), found.join("\n"));
}

/// Checks that the test above can fail: axe reports a field without a label and text without
/// contrast.
#[tokio::test]
async fn axe_reports_violations() {
    let site = Site::open().await;
    let ada = site.person("Ada").await;
    ada.visit("/").await;
    ada.run_script(AXE, &[]).await;
    let add_violations =
        "const field = document.createElement('input'), words = document.createElement('p')
      words.textContent = 'hard to read'
      words.style.color = '#bbb'
      words.style.background = '#ccc'
      document.querySelector('main').append(field, words)
      return true";
    ada.until("could change the page", add_violations, &[]).await;
    let found = ada.run_script(CHECK, &[]).await.to_string();
    assert!(
        found.contains("critical label") && found.contains("serious color-contrast"),
        "{found}"
    );
}

#[tokio::test]
async fn a_room_has_one_live_region_which_does_not_announce_arrivals_and_departures() {
    let site = Site::open().await;
    let (ada, ben) = (site.person("Ada").await, site.person("Ben").await);
    ada.becomes_administrator().await;
    ben.signs_up().await;
    ada.opens_room("Garden").await;
    ada.is_connected().await;
    let live =
        "return [...document.querySelectorAll('#room :is([role=status], [role=log], [aria-live])')]
      .map(each => each.dataset.messagesTarget)";
    assert_eq!(ada.run_script(live, &[]).await, json!(["announcer"]));
    ben.opens_room("Garden").await;
    ada.until(
        "saw Ben join",
        "return document.querySelector('#notices').textContent.includes('Ben')",
        &[],
    )
    .await;
    assert_eq!(ada.text_of("[data-messages-target=announcer]").await, "");
}

#[tokio::test]
async fn arrow_keys_move_between_the_tools_which_are_one_tab_stop() {
    let site = Site::open().await;
    let ada = site.person("Ada").await;
    ada.becomes_administrator().await;
    ada.opens_room("Garden").await;
    ada.is_connected().await;
    ada.says("something to work with").await;
    ada.sees("something to work with").await;
    ada.run_script("document.querySelector('.message__link').focus({ focusVisible: true })", &[])
        .await;
    let stops =
        "return [...document.querySelectorAll('.tools [data-tool]')].filter(each => each.tabIndex === 0)
      .map(each => each.dataset.tool)";
    assert_eq!(
        ada.until(
            "had the tools",
            &format!("const stops = (() => {{ {stops} }})(); return stops.length && stops"),
            &[]
        )
        .await,
        json!(["copy"])
    );
    let press = "const { activeElement } = document
      activeElement.dispatchEvent(new KeyboardEvent('keydown', { key: arguments[0], bubbles: true, cancelable: true }))
      return document.activeElement.dataset.tool";
    ada.run_script("document.querySelector('[data-tool=copy]').focus({ focusVisible: true })", &[])
        .await;
    for (key, tool) in [
        ("ArrowRight", "unread"),
        ("ArrowRight", "edit"),
        ("ArrowRight", "delete"),
        ("ArrowRight", "copy"),
        ("ArrowLeft", "delete"),
        ("Home", "copy"),
        ("End", "delete"),
    ] {
        assert_eq!(ada.run_script(press, &[json!(key)]).await, json!(tool), "{key}");
        assert_eq!(ada.run_script(stops, &[]).await, json!([tool]), "the only tab stop");
    }
    // The buttons of the confirmation work the same way.
    ada.presses("[data-tool=delete]").await;
    assert_eq!(ada.run_script(press, &[json!("ArrowLeft")]).await, json!("really"));
    assert_eq!(ada.run_script(press, &[json!("ArrowRight")]).await, json!("keep"));
}

#[tokio::test]
async fn axe_finds_no_serious_violation_on_the_pages_of_the_playground() {
    let site = Site::open().await;
    let ada = site.person("Ada").await;
    ada.expects(NetworkError::Status(404));
    ada.expects(NetworkError::Status(422));
    ada.visit("/todo/").await;
    ada.types("#task", "buy milk").await;
    ada.presses(".todo button").await;
    ada.find("#todo li").await;
    let mut found = Vec::new();
    for path in [
        "/playground/",
        "/echo/",
        "/bingo/",
        "/bmi/?height=180&weight=75",
        "/bmi/?height=tall&weight=0",
        "/uppercase/?text=straße",
        "/laps/",
        "/todo/",
        "/pages/",
        "/pages/login/",
        "/pages/signup/",
        "/pages/nowhere/",
        "/htmx/",
        "/htmx/4/",
    ] {
        checks_page(&ada, path, path, &mut found).await;
    }
    assert!(found.is_empty(), "{found:#?}");
}

#[tokio::test]
async fn axe_finds_no_serious_violation_on_the_pages_of_the_social_network() {
    let site = Site::open().await;
    let ada = site.person("Ada").await;
    ada.visit("/social/").await;
    let mut found = Vec::new();
    checks_page(&ada, "the empty network", "/social/", &mut found).await;
    for n in 1..=11 {
        ada.posts("/social/", &[("author", "Ada"), ("text", &format!("message {n}"))]).await;
    }
    for (page, path) in [
        ("the first page", "/social/"),
        ("a page in the middle", "/social/?page=2"),
        ("the form of a message", "/social/messages/1/"),
    ] {
        checks_page(&ada, page, path, &mut found).await;
    }
    assert!(found.is_empty(), "{found:#?}");
}
