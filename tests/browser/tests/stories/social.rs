//! The social network: live lists that never navigate a reader to another page.

use bellwire_browser_tests::{NetworkError, Person, Site};
use serde_json::{Value, json};

const TEXTS: &str =
    "[...document.querySelectorAll('#messages .post__text')].map(each => each.textContent)";

/// Records the clicks whose link is followed if no reply arrives within four seconds.
const WATCH_FOLLOWED_LINKS: &str = "window.following = new Set()
    const { setTimeout: set, clearTimeout: clear } = window
    window.setTimeout = (then, wait, ...rest) => {
      const timer = set(then, wait, ...rest)
      if (wait === 4000) following.add(timer)
      return timer
    }
    window.clearTimeout = (timer) => (following.delete(timer), clear(timer))";

/// Waits until the list shows exactly these texts; a form among them counts as `[form]`.
async fn lists(person: &Person, texts: &[&str]) {
    let script = "const shown = [...document.querySelectorAll('#messages > li')]\
                  .map(each => each.querySelector('form.post__form') ? '[form]' : each.querySelector('.post__text').textContent); \
                  return JSON.stringify(shown) === JSON.stringify(arguments[0])";
    person.until(&format!("had the list {texts:?}"), script, &[json!(texts)]).await;
}

async fn writes(person: &Person, text: &str) {
    let is_known =
        person.run_script("return document.querySelector('#author').value !== ''", &[]).await;
    if is_known != json!(true) {
        person.types("#author", person.name()).await;
    }
    person.types("#text", text).await;
    person.presses("#add button[type=submit]").await;
}

/// Posts this many messages, `m1` being the oldest, and opens the page.
async fn opens_with_messages(person: &Person, messages: u32) {
    person.visit("/social/").await;
    for n in 1..=messages {
        person.posts("/social/", &[("author", "Filler"), ("text", &format!("m{n}"))]).await;
    }
    person.visit("/social/").await;
    person.is_connected().await;
}

async fn is_at(person: &Person, address: &str) {
    let script = "return location.pathname + location.search === arguments[0]";
    person.until(&format!("was at {address}"), script, &[json!(address)]).await;
}

/// Opens the edit form of the message with this text.
async fn opens_edit_form(person: &Person, text: &str) -> String {
    let script = "const post = [...document.querySelectorAll('#messages .post')]\
                  .find(each => each.querySelector('.post__text')?.textContent === arguments[0]); \
                  post?.querySelector('a[bw-send]').click(); return post?.id.replace('message--', '')";
    let id = person.until(&format!("found {text:?}"), script, &[json!(text)]).await;
    let id = id.as_str().expect("an id").to_owned();
    person.find(&format!("#text--{id}")).await;
    id
}

#[tokio::test]
async fn a_new_message_appears_for_everyone_without_changing_their_page() {
    let site = Site::open().await;
    let (ada, ben) = (site.person("Ada").await, site.person("Ben").await);
    opens_with_messages(&ada, 7).await;
    ben.visit("/social/").await;
    ben.is_connected().await;
    ben.marks_page().await;
    lists(&ben, &["m7", "m6", "m5", "m4", "m3"]).await;
    ben.presses(".paging__next").await;
    lists(&ben, &["m2", "m1"]).await;
    is_at(&ben, "/social/?page=2").await;
    writes(&ada, "new <b>").await;
    lists(&ada, &["new <b>", "m7", "m6", "m5", "m4"]).await;
    ada.until("had an empty form with her name", "return document.querySelector('#text').value === '' && document.querySelector('#author').value === 'Ada'", &[]).await;
    lists(&ben, &["m3", "m2", "m1"]).await;
    is_at(&ben, "/social/?page=2").await;
    is_at(&ada, "/social/").await;
    // Going back shows the first page, which the server tracks.
    ben.goes_back().await;
    is_at(&ben, "/social/").await;
    lists(&ben, &["new <b>", "m7", "m6", "m5", "m4"]).await;
    writes(&ada, "newer").await;
    lists(&ben, &["newer", "new <b>", "m7", "m6", "m5"]).await;
    ben.did_not_reload().await;
    // A reload shows the page in the address.
    ben.presses(".paging__next").await;
    lists(&ben, &["m4", "m3", "m2", "m1"]).await;
    ben.reloads().await;
    lists(&ben, &["m4", "m3", "m2", "m1"]).await;
    is_at(&ben, "/social/?page=2").await;
}

#[tokio::test]
async fn an_unsaved_edit_survives_changes_by_others() {
    let site = Site::open().await;
    let ada = site.person("Ada").await;
    let (ben, proxy) = site.person_with_proxy("Ben").await;
    opens_with_messages(&ada, 5).await;
    ben.visit("/social/").await;
    ben.is_connected().await;
    let id = opens_edit_form(&ben, "m1").await;
    let field = format!("#text--{id}");
    ben.types(&field, "half-ty").await;
    ben.run_script("document.querySelector(arguments[0]).markOfTheStory = true", &[json!(field)])
        .await;
    let assert_undisturbed = async |when: &str| {
        let script = "const field = document.querySelector(arguments[0]); return field.value === 'half-ty' \
                      && document.activeElement === field && field.selectionStart === 7 && field.markOfTheStory === true";
        let found = ben.run_script(script, &[json!(field)]).await;
        assert_eq!(found, Value::Bool(true), "Ben's typing was disturbed {when}");
    };
    // The edited message moves to another page, but stays in this window.
    writes(&ada, "m6").await;
    lists(&ben, &["m6", "m5", "m4", "m3", "m2", "[form]"]).await;
    assert_undisturbed("by a new message").await;
    ada.presses(".paging__next").await;
    let same = opens_edit_form(&ada, "m1").await;
    ada.types(&format!("#text--{same}"), "Ada was here").await;
    ada.presses(&format!("#edit--{same} button[type=submit]")).await;
    lists(&ada, &["Ada was here"]).await;
    ben.until(
        "read the note",
        "return document.querySelector('.post__note')?.textContent.includes('Ada was here')",
        &[],
    )
    .await;
    assert_undisturbed("by a change of the same message").await;
    // While he is offline, and after the reconnect.
    ben.expects(NetworkError::Unreachable);
    proxy.cut();
    writes(&ada, "m7").await;
    lists(&ada, &["m7", "m6", "m5", "m4", "m3"]).await;
    proxy.restore();
    lists(&ben, &["m7", "m6", "m5", "m4", "m3", "[form]"]).await;
    ben.until(
        "still had his text",
        "return document.querySelector(arguments[0]).value === 'half-ty'",
        &[json!(field)],
    )
    .await;
    ben.types(&field, "Ben was here, too").await;
    ben.presses(&format!("#edit--{id} button[type=submit]")).await;
    lists(&ben, &["m7", "m6", "m5", "m4", "m3"]).await;
    ada.presses(".paging__next").await;
    lists(&ada, &["m2", "Ben was here, too"]).await;
}

#[tokio::test]
async fn a_cancelled_edit_form_closes_and_one_of_a_deleted_message_shows_a_note() {
    let site = Site::open().await;
    let (ada, ben) = (site.person("Ada").await, site.person("Ben").await);
    opens_with_messages(&ada, 3).await;
    ben.visit("/social/").await;
    ben.is_connected().await;
    ben.marks_page().await;
    ben.run_script(WATCH_FOLLOWED_LINKS, &[]).await;
    let id = opens_edit_form(&ben, "m2").await;
    ben.until("had a reply, so that the link is not followed", "return following.size === 0", &[])
        .await;
    lists(&ben, &["m3", "[form]", "m1"]).await;
    ben.presses(&format!("#edit--{id} a.button")).await;
    lists(&ben, &["m3", "m2", "m1"]).await;
    opens_edit_form(&ben, "m2").await;
    ben.types(&format!("#text--{id}"), "what I wanted to say").await;
    let is_visible = "return document.querySelector(arguments[0]).checkVisibility()";
    let confirm = format!("#message--{id} form button");
    assert_eq!(
        ada.run_script(is_visible, &[json!(confirm)]).await,
        json!(false),
        "one click deletes nothing"
    );
    ada.presses(&format!("#message--{id} summary")).await;
    ada.presses(&confirm).await;
    lists(&ada, &["m3", "m1"]).await;
    ben.until(
        "read that it is gone",
        "return document.querySelector('.post__note')?.textContent.includes('deleted')",
        &[],
    )
    .await;
    ben.presses(&format!("#edit--{id} button[type=submit]")).await;
    ben.reads(&format!("#error--edit--{id}"), "That message no longer exists.").await;
    ben.until(
        "kept the text",
        "return document.querySelector('textarea.post__box').value === 'what I wanted to say'",
        &[],
    )
    .await;
    ben.presses(&format!("#edit--{id} a.button")).await;
    lists(&ben, &["m3", "m1"]).await;
    is_at(&ben, "/social/").await;
    ben.did_not_reload().await;
}

#[tokio::test]
async fn a_link_without_a_reply_is_followed_even_if_the_previous_one_had_a_reply() {
    let site = Site::open().await;
    let ada = site.person("Ada").await;
    opens_with_messages(&ada, 1).await;
    // Two clicks in succession: the reply to the first arrives while the second waits for its own,
    // which is an error without an effect.
    let clicks = "document.addEventListener('bellwire:applied', () => (sessionStorage.formShown ||= document.querySelector('form.post__form') ? 'yes' : ''))
        const link = document.createElement('a')
        link.href = '/blog/'
        link.setAttribute('bw-send', 'what nobody here knows')
        document.querySelector('#main').append(link)
        document.querySelector('#messages .post a[bw-stay]').click()
        link.click()";
    ada.run_script(clicks, &[]).await;
    is_at(&ada, "/blog/").await;
    let form_shown = ada.run_script("return sessionStorage.formShown", &[]).await;
    assert_eq!(form_shown, json!("yes"), "the first link was answered");
}

#[tokio::test]
async fn an_error_appears_in_the_form_that_caused_it() {
    let site = Site::open().await;
    let ada = site.person("Ada").await;
    opens_with_messages(&ada, 1).await;
    let id = opens_edit_form(&ada, "m1").await;
    ada.types(&format!("#text--{id}"), &"y".repeat(201)).await;
    ada.presses(&format!("#edit--{id} button[type=submit]")).await;
    ada.reads(
        &format!("#error--text--{id}"),
        "A message holds at most 200 characters; this one has 201.",
    )
    .await;
    assert_eq!(ada.text_of("#error--text").await, "");
    let wrong = "return [...document.querySelectorAll('[aria-invalid=true]')].map((each) => each.id).join() === arguments[0]";
    ada.until("saw an error at that field only", wrong, &[json!(format!("text--{id}"))]).await;
    writes(&ada, &"z".repeat(202)).await;
    ada.reads("#error--text", "A message holds at most 200 characters; this one has 202.").await;
    ada.reads("#left", "-2 left").await;
    let kept = ada.run_script("return document.querySelector('#text').value.length", &[]).await;
    assert_eq!(kept, json!(202), "the typed text is kept");
}

#[tokio::test]
async fn messages_of_accounts_can_be_changed_only_by_their_author_and_administrators() {
    let site = Site::open().await;
    let (admin, ada, ben) =
        (site.person("Admin").await, site.person("Ada").await, site.person("Ben").await);
    admin.becomes_administrator().await;
    ada.signs_up().await;
    for person in [&admin, &ada, &ben] {
        person.visit("/social/").await;
        person.is_connected().await;
    }
    let name = ada.run_script("return document.querySelector('#author').value", &[]).await;
    assert_eq!(name, json!("Ada"), "her name is filled in");
    writes(&ada, "mine").await;
    let tools = "return !document.querySelector('#messages .post__tools').hidden";
    let edit = "return !document.querySelector('#messages [bw-send=\"open edit page\"]').hidden";
    for (person, deletes, edits) in
        [(&admin, true, false), (&ada, true, true), (&ben, false, false)]
    {
        lists(person, &["mine"]).await;
        assert_eq!(person.run_script(tools, &[]).await, json!(deletes), "{}", person.name());
        assert_eq!(person.run_script(edit, &[]).await, json!(edits), "{}", person.name());
    }
}

#[tokio::test]
async fn without_websockets_the_list_is_live_and_forms_are_posted() {
    let site = Site::open().await;
    let ada = site.person("Ada").await;
    let (ben, _proxy) = site.person_without_websockets("Ben").await;
    ben.expects(NetworkError::Status(403));
    opens_with_messages(&ada, 1).await;
    ben.visit("/social/").await;
    ben.is_connected().await;
    writes(&ada, "from a socket").await;
    lists(&ben, &["from a socket", "m1"]).await;
    writes(&ben, "from a stream").await;
    for person in [&ada, &ben] {
        lists(person, &["from a stream", "from a socket", "m1"]).await;
    }
    ben.until("had an empty form", "return document.querySelector('#text').value === ''", &[])
        .await;
}

#[tokio::test]
async fn without_javascript_reading_paging_writing_editing_and_deleting_work() {
    let site = Site::open().await;
    let (ada, ben) = (site.person("Ada").await, site.person_without_javascript("Ben").await);
    opens_with_messages(&ada, 6).await;
    ben.visit("/social/").await;
    assert_eq!(ben.text_of("#messages .post:first-child .post__text").await, "m6");
    ben.presses(".paging__next").await;
    ben.find(".paging__previous").await;
    assert_eq!(ben.text_of("#messages .post:first-child .post__text").await, "m1");
    writes(&ben, "from a plain page").await;
    lists(&ada, &["from a plain page", "m6", "m5", "m4", "m3"]).await;
    ben.presses("#messages .post:first-child a.post__tool").await;
    ben.types("textarea.post__box", "edited on a plain page").await;
    ben.presses(".post__form button[type=submit]").await;
    lists(&ada, &["edited on a plain page", "m6", "m5", "m4", "m3"]).await;
    ben.presses("#messages .post:first-child summary").await;
    ben.presses("#messages .post:first-child form button").await;
    lists(&ada, &["m6", "m5", "m4", "m3", "m2"]).await;
    let shown = ada.run_script(&format!("return {TEXTS}"), &[]).await;
    assert_eq!(shown.as_array().map(Vec::len), Some(5));
}
