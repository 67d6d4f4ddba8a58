//! The pages of the chat, looked at by axe in both colours on a screen and a phone: nothing serious.

use bellwire_browser_tests::{Person, Scheme, Stage};
use serde_json::{Value, json};

const AXE: &str = include_str!("../../fixtures/axe-core-4.14.1/axe.min.js");

/// What would hinder people, one line for each element. Colours that are on their way are put where they go first.
const LOOK: &str = "return (async () => {
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

/// What axe finds on this page at each width in each scheme, said with where that was.
async fn looks_at(person: &Person, page: &str, path: &str, found: &mut Vec<String>) {
    person.visit(path).await;
    person.until("had the whole page", "return document.readyState === 'complete'", &[]).await;
    if person.ask("return document.querySelector('[bw-connect]') !== null", &[]).await == json!(true) {
        person.is_connected().await;
    }
    person.ask(AXE, &[]).await;
    for (width, height) in [(1280, 800), (390, 844)] {
        person.has_a_window(width, height).await;
        for scheme in [Scheme::Light, Scheme::Dark] {
            person.prefers(scheme).await;
            let is_so = "return innerWidth === arguments[0] && matchMedia('(prefers-color-scheme: dark)').matches === arguments[1]";
            person.until("had that window", is_so, &[json!(width), json!(scheme == Scheme::Dark)]).await;
            let Value::Array(lines) = person.ask(LOOK, &[]).await else {
                panic!("axe did not run on the page {page} ({path}, {width}, {scheme:?})")
            };
            let line =
                |line: &Value| format!("{page}, {width}, {scheme:?}: {}", line.as_str().unwrap_or_default());
            found.extend(lines.iter().map(line));
        }
    }
}

#[tokio::test]
async fn axe_finds_nothing_serious_on_any_page_of_the_chat() {
    let stage = Stage::open().await;
    let (ada, ben) = (stage.person("Ada").await, stage.person("Ben").await);
    ada.becomes_administrator().await;
    ben.signs_up().await;
    ben.opens_room("Garden").await;
    ada.opens_room("Garden").await;
    ada.posts_messages("/chat/garden/", &MESSAGES.map(str::to_owned)).await;
    ben.posts_messages("/chat/garden/", &["Ben's own words about the garden, for @Ada".to_owned()]).await;
    let hasty = ada.id_of_message("/chat/garden/", "said in haste").await;
    ada.posts(&format!("/chat/-/messages/{hasty}/"), &[("message", "said with care")]).await;
    let room = ada.ask("return document.querySelector('.room').dataset.room", &[]).await;
    let run = format!("/chat/-/rooms/{}/", room.as_str().expect("the room's number"));
    ada.posts(&format!("/chat/-/people/{}/", ben.id().await), &[]).await;

    let mut found = Vec::new();
    let stranger = stage.person("Cem").await;
    looks_at(&stranger, "sign in", "/accounts/login/", &mut found).await;
    for (page, path) in [
        ("rooms", "/chat/"),
        ("room", "/chat/garden/"),
        ("people", "/chat/-/people/"),
        ("search", "/chat/-/search/?q=garden"),
        ("run a room", &run),
    ] {
        looks_at(&ada, page, path, &mut found).await;
    }
    assert!(found.is_empty(), "axe found {} hindrances:\n{}", found.len(), found.join("\n"));
}

/// The story above can fail: a page with a field that nobody can name and words that nobody can read is found out.
#[tokio::test]
async fn axe_would_have_found_what_hinders() {
    let stage = Stage::open().await;
    let ada = stage.person("Ada").await;
    ada.visit("/").await;
    ada.ask(AXE, &[]).await;
    let spoil = "const field = document.createElement('input'), words = document.createElement('p')
      words.textContent = 'hard to read'
      words.style.color = '#bbb'
      words.style.background = '#ccc'
      document.querySelector('main').append(field, words)
      return true";
    ada.until("could spoil the page", spoil, &[]).await;
    let found = ada.ask(LOOK, &[]).await.to_string();
    assert!(found.contains("critical label") && found.contains("serious color-contrast"), "{found}");
}

#[tokio::test]
async fn axe_finds_nothing_serious_on_the_pages_of_the_social_network() {
    let stage = Stage::open().await;
    let ada = stage.person("Ada").await;
    ada.visit("/social/").await;
    let mut found = Vec::new();
    looks_at(&ada, "the empty network", "/social/", &mut found).await;
    for n in 1..=11 {
        ada.posts("/social/", &[("author", "Ada"), ("text", &format!("message {n}"))]).await;
    }
    for (page, path) in [
        ("the first page", "/social/"),
        ("a page in the middle", "/social/?page=2"),
        ("the form of a message", "/social/messages/1/"),
    ] {
        looks_at(&ada, page, path, &mut found).await;
    }
    assert!(found.is_empty(), "{found:#?}");
}
