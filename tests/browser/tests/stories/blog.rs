//! The blog: reading, looking for something, and saying something that others see while they read.

use bellwire_browser_tests::{Person, Stage, Trouble};
use serde_json::json;

/// Counts the searches that are made when somebody stops typing.
const COUNT_SEARCHES: &str = "window.searches = 0
    const set = window.setTimeout
    window.setTimeout = (then, wait, ...rest) => set(wait === 150 ? () => (then(), searches++) : then, wait, ...rest)";

/// Six articles: one page of the list, and one more.
async fn writes_articles(writer: &Person) {
    for number in 1..=6 {
        let (title, content) =
            (format!("Article {number}"), format!("## Inside\n\nThe *text* of number {number}."));
        writer
            .posts("/blog/write/", &[("title", &title), ("content", &content), ("do", "publish")])
            .await;
    }
}

/// Waits until the address is this one.
async fn is_at(person: &Person, path: &str) {
    let script = "return location.pathname + location.search === arguments[0]";
    person.until(&format!("came to {path}"), script, &[json!(path)]).await;
}

async fn comments(person: &Person, author: &str, text: &str) {
    person.find("#author").await;
    person.ask("document.querySelector('#author').value = ''; return true", &[]).await;
    person.types("#author", author).await;
    person.types("#content", text).await;
    person.presses(".comments__form button").await;
}

async fn hears(person: &Person, text: &str) {
    let script = "return [...document.querySelectorAll('#list-of-comments .comment__text')].filter((each) => each.textContent.trim() === arguments[0]).length === 1";
    person.until(&format!("saw {text:?} once"), script, &[json!(text)]).await;
}

async fn says(person: &Person, text: &str) -> bool {
    person.ask("return document.body.innerText.includes(arguments[0])", &[json!(text)]).await
        == json!(true)
}

#[tokio::test]
async fn two_who_read_an_article_see_what_is_said_at_once_and_others_do_not() {
    let stage = Stage::open().await;
    let (ada, ben, eve) =
        (stage.person("Ada").await, stage.person("Ben").await, stage.person("Eve").await);
    ada.becomes_administrator().await;
    writes_articles(&ada).await;
    for (person, path) in [
        (&ada, "/blog/article/article-1/"),
        (&ben, "/blog/article/article-1/"),
        (&eve, "/blog/article/article-2/"),
    ] {
        person.visit(path).await;
        person.is_connected().await;
    }
    assert_eq!(
        ada.ask("return document.querySelector('#author').value", &[]).await,
        json!("Ada"),
        "her name is there"
    );
    ben.types("#content", "half a thought").await;
    comments(&ada, "Ada", "Lovely, is it not?").await;
    hears(&ada, "Lovely, is it not?").await;
    hears(&ben, "Lovely, is it not?").await;
    ada.until(
        "had an empty form again",
        "return document.querySelector('#content').value === ''",
        &[],
    )
    .await;
    let half = ben.ask("return document.querySelector('#content').value", &[]).await;
    assert_eq!(half, json!("half a thought"), "what somebody types is theirs");

    // An error stands in the form, and is taken back by what is right.
    ben.ask("document.querySelector('.comments__form').noValidate = true; return true", &[]).await;
    ben.presses(".comments__form button").await;
    ben.reads("#error--author", "Please type your name.").await;
    ben.types("#author", "Ben").await;
    ben.presses(".comments__form button").await;
    hears(&ada, "half a thought").await;
    hears(&ben, "half a thought").await;

    // Staff remove it, before everyone's eyes; nobody else is offered to.
    assert!(!ben.has(".comment__remove").await, "not for him to do");
    ada.presses("#list-of-comments li:last-child .comment__remove button").await;
    for person in [&ada, &ben] {
        let gone = "return document.querySelectorAll('#list-of-comments li').length === 1";
        person.until("saw it go", gone, &[]).await;
    }
    assert!(!says(&eve, "Lovely").await && says(&eve, "Nobody has said anything yet").await);
    for person in [&ada, &ben, &eve] {
        assert_eq!(person.complaints().await, Vec::<String>::new());
    }
}

#[tokio::test]
async fn moving_over_the_socket_keeps_address_title_and_the_way_back() {
    let stage = Stage::open().await;
    let (ada, ben) = (stage.person("Ada").await, stage.person("Ben").await);
    ada.becomes_administrator().await;
    writes_articles(&ada).await;
    ben.visit("/blog/").await;
    ben.is_connected().await;
    ben.marks_the_page().await;
    ben.presses("#more").await;
    ben.until("saw six", "return document.querySelectorAll('#all-posts .post').length === 6", &[])
        .await;
    is_at(&ben, "/blog/?page=2").await;
    ben.until("saw the end", "return !document.querySelector('#more')", &[]).await;

    ben.presses("#post--1 a").await;
    is_at(&ben, "/blog/article/article-1/").await;
    ben.until("had the title", "return document.title === 'Article 1 · Bellwire'", &[]).await;
    ben.presses("#nav a[href='/blog/about/']").await;
    is_at(&ben, "/blog/about/").await;
    ben.until(
        "saw where it is",
        "return document.querySelector('#nav [aria-current]').textContent === 'About us'",
        &[],
    )
    .await;
    ben.did_not_reload().await;

    // Back at the article it is live again: also for what comes then.
    ben.goes_back().await;
    is_at(&ben, "/blog/article/article-1/").await;
    ben.find("#list-of-comments ~ form").await;
    ben.is_connected().await;
    ada.visit("/blog/article/article-1/").await;
    ada.is_connected().await;
    comments(&ada, "Ada", "Are you back?").await;
    hears(&ben, "Are you back?").await;
    ben.goes_back().await;
    is_at(&ben, "/blog/?page=2").await;
    ben.until(
        "saw all six again",
        "return document.querySelectorAll('#all-posts .post').length === 6",
        &[],
    )
    .await;
    ben.goes_forward().await;
    is_at(&ben, "/blog/article/article-1/").await;
    hears(&ben, "Are you back?").await;
    assert_eq!(ben.complaints().await, Vec::<String>::new());
}

#[tokio::test]
async fn what_is_looked_for_is_found_while_typing_and_stays_in_the_address() {
    let stage = Stage::open().await;
    let (ada, ben) = (stage.person("Ada").await, stage.person("Ben").await);
    ada.becomes_administrator().await;
    writes_articles(&ada).await;
    ada.posts(
        "/blog/write/",
        &[("title", "静かな朝"), ("content", "Tea & *bread*"), ("do", "publish")],
    )
    .await;
    for person in [&ada, &ben] {
        person.visit("/blog/").await;
        person.is_connected().await;
    }
    let entries = ben.ask("return history.length", &[]).await;
    ben.types("#search", "静か").await;
    ben.until(
        "found one",
        "return document.querySelectorAll('#all-posts .post').length === 1",
        &[],
    )
    .await;
    is_at(&ben, "/blog/?search=%E9%9D%99%E3%81%8B").await;
    assert_eq!(
        ben.ask("return document.activeElement.id", &[]).await,
        json!("search"),
        "still typing"
    );
    assert_eq!(ben.ask("return history.length", &[]).await, entries, "letters are no steps");
    let all = ada.ask("return document.querySelectorAll('#all-posts .post').length", &[]).await;
    assert_eq!(all, json!(5), "nobody else's list changes");
    ben.reloads().await;
    ben.until(
        "found the same",
        "return document.querySelectorAll('#all-posts .post').length === 1",
        &[],
    )
    .await;
    assert_eq!(ben.ask("return document.querySelector('#search').value", &[]).await, json!("静か"));
    ben.is_connected().await;
    ben.types("#search", "<script>").await;
    ben.until(
        "found nothing",
        "return document.querySelector('#all-posts #nothing') !== null",
        &[],
    )
    .await;
    assert_eq!(ben.complaints().await, Vec::<String>::new());
}

#[tokio::test]
async fn what_is_looked_for_while_the_connection_is_away_is_found_when_it_is_back() {
    let stage = Stage::open().await;
    let ada = stage.person("Ada").await;
    let (ben, cable) = stage.person_with_a_cable("Ben").await;
    ada.becomes_administrator().await;
    writes_articles(&ada).await;
    ben.visit("/blog/").await;
    ben.is_connected().await;
    ben.marks_the_page().await;
    ben.ask(COUNT_SEARCHES, &[]).await;
    ben.expects(Trouble::Unreachable);
    cable.cut();
    let lost = "return document.documentElement.dataset.bellwire !== 'connected'";
    ben.until("saw the connection go", lost, &[]).await;
    ben.types("#search", "number 4").await;
    ben.until("stopped typing, and it was too early", "return window.searches > 0", &[]).await;
    let all = ben.ask("return document.querySelectorAll('#all-posts .post').length", &[]).await;
    assert_eq!(all, json!(5), "nobody could be asked");
    cable.mend();
    ben.is_connected().await;
    let found = "return [...document.querySelectorAll('#all-posts .post')].map((each) => each.id).join() === 'post--4'";
    ben.until("found it", found, &[]).await;
    is_at(&ben, "/blog/?search=number+4").await;
    ben.did_not_reload().await;
}

#[tokio::test]
async fn everything_can_be_read_and_said_without_javascript() {
    let stage = Stage::open().await;
    let ada = stage.person("Ada").await;
    ada.becomes_administrator().await;
    writes_articles(&ada).await;
    ada.visit("/blog/article/article-1/").await;
    ada.is_connected().await;
    let ben = stage.person_without_javascript("Ben").await;
    ben.visit("/blog/").await;
    ben.presses("#more").await;
    ben.find("#post--1").await;
    ben.types("#search", "number 1").await;
    ben.presses(".blog__search button").await;
    ben.presses("#post--1 a").await;
    assert_eq!(ben.path().await, "/blog/article/article-1/");
    ben.reads("h1", "Article 1").await;
    ben.types("#author", "Ben").await;
    ben.types("#content", "Said plainly").await;
    ben.presses(".comments__form button").await;
    ben.reads(".comment__text", "Said plainly").await;
    hears(&ada, "Said plainly").await;
}

#[tokio::test]
async fn staff_write_look_at_it_and_publish() {
    let stage = Stage::open().await;
    let (ada, ben) = (stage.person("Ada").await, stage.person("Ben").await);
    ada.becomes_administrator().await;
    ben.signs_up().await;
    ada.visit("/accounts/").await;
    ada.presses("a[href='/accounts/staff/']").await;
    ada.types("#who", "ben").await;
    ada.presses(".form button").await;
    ada.reads(".device__name", "Ada").await;
    ben.visit("/blog/").await;
    ben.presses("#nav a[href='/blog/write/']").await;
    ben.types("#title", "Tea").await;
    ben.types("#content", "## Cups").await;
    ben.presses("button[value=preview]").await;
    ben.reads(".write__preview h2:not(#preview)", "Cups").await;
    ben.presses("button[value=draft]").await;
    is_at(&ben, "/blog/article/tea/").await;
    ada.visit("/blog/").await;
    assert!(!says(&ada, "Tea").await, "a draft");
    ben.presses(".article__by a").await;
    ben.presses("button[value=publish]").await;
    is_at(&ben, "/blog/article/tea/").await;
    ada.visit("/blog/").await;
    ada.reads(".post__title", "Tea").await;
}
