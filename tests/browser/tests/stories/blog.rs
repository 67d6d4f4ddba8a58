//! The blog: articles, search, live comments.

use bellwire_browser_tests::{NetworkError, Person, Site};
use serde_json::json;

/// Counts the searches that start after a pause in typing.
const COUNT_SEARCHES: &str = "window.searches = 0
    const set = window.setTimeout
    window.setTimeout = (then, wait, ...rest) => set(wait === 150 ? () => (then(), searches++) : then, wait, ...rest)";

/// Publishes six articles: one page of the list, and one more.
async fn writes_articles(writer: &Person) {
    for number in 1..=6 {
        let (title, content) =
            (format!("Article {number}"), format!("## Inside\n\nThe *text* of number {number}."));
        writer
            .posts("/blog/write/", &[("title", &title), ("content", &content), ("do", "publish")])
            .await;
    }
}

/// Waits until the browser is at this address.
async fn is_at(person: &Person, path: &str) {
    let script = "return location.pathname + location.search === arguments[0]";
    person.until(&format!("came to {path}"), script, &[json!(path)]).await;
}

async fn comments(person: &Person, author: &str, text: &str) {
    person.find("#author").await;
    person.run_script("document.querySelector('#author').value = ''; return true", &[]).await;
    person.types("#author", author).await;
    person.types("#content", text).await;
    person.presses(".comments__form button").await;
}

async fn sees_comment(person: &Person, text: &str) {
    let script = "return [...document.querySelectorAll('#list-of-comments .comment__text')].filter((each) => each.textContent.trim() === arguments[0]).length === 1";
    person.until(&format!("saw {text:?} once"), script, &[json!(text)]).await;
}

async fn shows_text(person: &Person, text: &str) -> bool {
    person.run_script("return document.body.innerText.includes(arguments[0])", &[json!(text)]).await
        == json!(true)
}

#[tokio::test]
async fn readers_of_an_article_see_comments_at_once_and_readers_of_another_do_not() {
    let site = Site::open().await;
    let (ada, ben, eve) =
        (site.person("Ada").await, site.person("Ben").await, site.person("Eve").await);
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
        ada.run_script("return document.querySelector('#author').value", &[]).await,
        json!("Ada"),
        "her name is filled in"
    );
    ben.types("#content", "half a thought").await;
    comments(&ada, "Ada", "Lovely, is it not?").await;
    sees_comment(&ada, "Lovely, is it not?").await;
    sees_comment(&ben, "Lovely, is it not?").await;
    ada.until(
        "had an empty form again",
        "return document.querySelector('#content').value === ''",
        &[],
    )
    .await;
    let half = ben.run_script("return document.querySelector('#content').value", &[]).await;
    assert_eq!(half, json!("half a thought"), "unsent text is kept");

    // An error appears in the form, and disappears after a valid comment.
    ben.run_script("document.querySelector('.comments__form').noValidate = true; return true", &[])
        .await;
    ben.presses(".comments__form button").await;
    ben.reads("#error--author", "Please type your name.").await;
    ben.types("#author", "Ben").await;
    ben.presses(".comments__form button").await;
    sees_comment(&ada, "half a thought").await;
    sees_comment(&ben, "half a thought").await;

    // Staff remove a comment, which disappears for everyone. Nobody else has the button.
    assert!(!ben.has(".comment__remove").await, "he may not remove it");
    ada.presses("#list-of-comments li:last-child .comment__remove button").await;
    for person in [&ada, &ben] {
        let gone = "return document.querySelectorAll('#list-of-comments li').length === 1";
        person.until("saw it go", gone, &[]).await;
    }
    assert!(
        !shows_text(&eve, "Lovely").await && shows_text(&eve, "There are no comments yet").await
    );
    for person in [&ada, &ben, &eve] {
        assert_eq!(person.console_messages().await, Vec::<String>::new());
    }
}

#[tokio::test]
async fn navigation_over_the_socket_updates_address_title_and_history() {
    let site = Site::open().await;
    let (ada, ben) = (site.person("Ada").await, site.person("Ben").await);
    ada.becomes_administrator().await;
    writes_articles(&ada).await;
    ben.visit("/blog/").await;
    ben.is_connected().await;
    ben.marks_page().await;
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

    // After going back to the article, it is live again and receives new comments.
    ben.goes_back().await;
    is_at(&ben, "/blog/article/article-1/").await;
    ben.find("#list-of-comments ~ form").await;
    ben.is_connected().await;
    ada.visit("/blog/article/article-1/").await;
    ada.is_connected().await;
    comments(&ada, "Ada", "Are you back?").await;
    sees_comment(&ben, "Are you back?").await;
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
    sees_comment(&ben, "Are you back?").await;
    assert_eq!(ben.console_messages().await, Vec::<String>::new());
}

#[tokio::test]
async fn search_results_update_while_typing_and_the_query_is_in_the_address() {
    let site = Site::open().await;
    let (ada, ben) = (site.person("Ada").await, site.person("Ben").await);
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
    let entries = ben.run_script("return history.length", &[]).await;
    ben.types("#search", "静か").await;
    ben.until(
        "found one",
        "return document.querySelectorAll('#all-posts .post').length === 1",
        &[],
    )
    .await;
    is_at(&ben, "/blog/?search=%E9%9D%99%E3%81%8B").await;
    assert_eq!(
        ben.run_script("return document.activeElement.id", &[]).await,
        json!("search"),
        "the focus stays in the field"
    );
    assert_eq!(
        ben.run_script("return history.length", &[]).await,
        entries,
        "typing adds no history entries"
    );
    let all =
        ada.run_script("return document.querySelectorAll('#all-posts .post').length", &[]).await;
    assert_eq!(all, json!(5), "nobody else's list changes");
    ben.reloads().await;
    ben.until(
        "found the same",
        "return document.querySelectorAll('#all-posts .post').length === 1",
        &[],
    )
    .await;
    assert_eq!(
        ben.run_script("return document.querySelector('#search').value", &[]).await,
        json!("静か")
    );
    ben.is_connected().await;
    ben.types("#search", "<script>").await;
    ben.until(
        "found nothing",
        "return document.querySelector('#all-posts #nothing') !== null",
        &[],
    )
    .await;
    assert_eq!(ben.console_messages().await, Vec::<String>::new());
}

#[tokio::test]
async fn a_search_while_offline_is_answered_after_the_reconnect() {
    let site = Site::open().await;
    let ada = site.person("Ada").await;
    let (ben, proxy) = site.person_with_proxy("Ben").await;
    ada.becomes_administrator().await;
    writes_articles(&ada).await;
    ben.visit("/blog/").await;
    ben.is_connected().await;
    ben.marks_page().await;
    ben.run_script(COUNT_SEARCHES, &[]).await;
    ben.expects(NetworkError::Unreachable);
    proxy.cut();
    let lost = "return document.documentElement.dataset.bellwire !== 'connected'";
    ben.until("saw the connection go", lost, &[]).await;
    ben.types("#search", "number 4").await;
    ben.until("had searched while offline", "return window.searches > 0", &[]).await;
    let all =
        ben.run_script("return document.querySelectorAll('#all-posts .post').length", &[]).await;
    assert_eq!(all, json!(5), "no search was possible");
    proxy.restore();
    ben.is_connected().await;
    let found = "return [...document.querySelectorAll('#all-posts .post')].map((each) => each.id).join() === 'post--4'";
    ben.until("found it", found, &[]).await;
    is_at(&ben, "/blog/?search=number+4").await;
    ben.did_not_reload().await;
}

#[tokio::test]
async fn reading_and_commenting_work_without_javascript() {
    let site = Site::open().await;
    let ada = site.person("Ada").await;
    ada.becomes_administrator().await;
    writes_articles(&ada).await;
    ada.visit("/blog/article/article-1/").await;
    ada.is_connected().await;
    let ben = site.person_without_javascript("Ben").await;
    ben.visit("/blog/").await;
    ben.presses("#more").await;
    ben.find("#post--1").await;
    ben.types("#search", "number 1").await;
    ben.presses(".blog__search button").await;
    is_at(&ben, "/blog/?search=number+1").await;
    ben.presses("#post--1 a").await;
    is_at(&ben, "/blog/article/article-1/").await;
    ben.reads("h1", "Article 1").await;
    ben.types("#author", "Ben").await;
    ben.types("#content", "Said plainly").await;
    ben.presses(".comments__form button").await;
    ben.reads(".comment__text", "Said plainly").await;
    sees_comment(&ada, "Said plainly").await;
}

#[tokio::test]
async fn staff_write_preview_and_publish_an_article() {
    let site = Site::open().await;
    let (ada, ben) = (site.person("Ada").await, site.person("Ben").await);
    ada.becomes_administrator().await;
    ben.signs_up().await;
    ada.visit("/accounts/").await;
    ada.presses("a[href='/accounts/staff/']").await;
    ada.types("#who", "ben").await;
    ada.presses(".form button").await;
    let both = "return [...document.querySelectorAll('.device__name')].some(one => one.innerText.includes('Ben'))";
    ada.until("saw Ben among the staff", both, &[]).await;
    ben.visit("/blog/").await;
    ben.presses("#nav a[href='/blog/write/']").await;
    ben.types("#title", "Tea").await;
    ben.types("#content", "## Cups").await;
    ben.presses("button[value=preview]").await;
    ben.reads(".write__preview h2:not(#preview)", "Cups").await;
    ben.presses("button[value=draft]").await;
    is_at(&ben, "/blog/article/tea/").await;
    ada.visit("/blog/").await;
    assert!(!shows_text(&ada, "Tea").await, "a draft");
    ben.presses(".article__by a").await;
    ben.presses("button[value=publish]").await;
    is_at(&ben, "/blog/article/tea/").await;
    ada.visit("/blog/").await;
    ada.reads(".post__title", "Tea").await;
}
