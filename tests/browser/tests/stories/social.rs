//! The social network: everyone sees what comes and goes, and nobody is led anywhere by it.

use bellwire_browser_tests::{Person, Stage, Trouble};
use serde_json::{Value, json};

const TEXTS: &str =
    "[...document.querySelectorAll('#messages .post__text')].map(each => each.textContent)";

/// Notes the clicks whose link is to be followed when nothing answers in four seconds.
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
    let is_known = person.ask("return document.querySelector('#author').value !== ''", &[]).await;
    if is_known != json!(true) {
        person.types("#author", person.name()).await;
    }
    person.types("#text", text).await;
    person.presses("#add button[type=submit]").await;
}

/// Lets somebody look at a network with this many messages, `m1` being the oldest.
async fn looks_at(person: &Person, messages: u32) {
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

/// Opens the form of the message with this text.
async fn opens_the_form_of(person: &Person, text: &str) -> String {
    let script = "const post = [...document.querySelectorAll('#messages .post')]\
                  .find(each => each.querySelector('.post__text')?.textContent === arguments[0]); \
                  post?.querySelector('a[bw-send]').click(); return post?.id.replace('message--', '')";
    let id = person.until(&format!("found {text:?}"), script, &[json!(text)]).await;
    let id = id.as_str().expect("an id").to_owned();
    person.find(&format!("#text--{id}")).await;
    id
}

#[tokio::test]
async fn what_is_written_is_there_for_everyone_on_whatever_page_they_are() {
    let stage = Stage::open().await;
    let (ada, ben) = (stage.person("Ada").await, stage.person("Ben").await);
    looks_at(&ada, 7).await;
    ben.visit("/social/").await;
    ben.is_connected().await;
    ben.marks_the_page().await;
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
    // Back is the first page, and the server knows it.
    ben.goes_back().await;
    is_at(&ben, "/social/").await;
    lists(&ben, &["new <b>", "m7", "m6", "m5", "m4"]).await;
    writes(&ada, "newer").await;
    lists(&ben, &["newer", "new <b>", "m7", "m6", "m5"]).await;
    ben.did_not_reload().await;
    // A reload shows the page that the address says.
    ben.presses(".paging__next").await;
    lists(&ben, &["m4", "m3", "m2", "m1"]).await;
    ben.reloads().await;
    lists(&ben, &["m4", "m3", "m2", "m1"]).await;
    is_at(&ben, "/social/?page=2").await;
}

#[tokio::test]
async fn a_half_typed_edit_stays_whatever_others_do() {
    let stage = Stage::open().await;
    let ada = stage.person("Ada").await;
    let (ben, cable) = stage.person_with_a_cable("Ben").await;
    looks_at(&ada, 5).await;
    ben.visit("/social/").await;
    ben.is_connected().await;
    let id = opens_the_form_of(&ben, "m1").await;
    let field = format!("#text--{id}");
    ben.types(&field, "half-ty").await;
    ben.ask("document.querySelector(arguments[0]).markOfTheStory = true", &[json!(field)]).await;
    let undisturbed = async |when: &str| {
        let script = "const field = document.querySelector(arguments[0]); return field.value === 'half-ty' \
                      && document.activeElement === field && field.selectionStart === 7 && field.markOfTheStory === true";
        let found = ben.ask(script, &[json!(field)]).await;
        assert_eq!(found, Value::Bool(true), "Ben's typing was disturbed {when}");
    };
    // What is edited is pushed off its page, and stays in this window.
    writes(&ada, "m6").await;
    lists(&ben, &["m6", "m5", "m4", "m3", "m2", "[form]"]).await;
    undisturbed("by a new message").await;
    ada.presses(".paging__next").await;
    let same = opens_the_form_of(&ada, "m1").await;
    ada.types(&format!("#text--{same}"), "Ada was here").await;
    ada.presses(&format!("#edit--{same} button[type=submit]")).await;
    lists(&ada, &["Ada was here"]).await;
    ben.until(
        "read the note",
        "return document.querySelector('.post__note')?.textContent.includes('Ada was here')",
        &[],
    )
    .await;
    undisturbed("by a change of the same message").await;
    // While nobody can reach him, and when he is back.
    ben.expects(Trouble::Unreachable);
    cable.cut();
    writes(&ada, "m7").await;
    lists(&ada, &["m7", "m6", "m5", "m4", "m3"]).await;
    cable.mend();
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
async fn a_form_that_is_cancelled_gives_way_and_one_whose_message_is_gone_says_so() {
    let stage = Stage::open().await;
    let (ada, ben) = (stage.person("Ada").await, stage.person("Ben").await);
    looks_at(&ada, 3).await;
    ben.visit("/social/").await;
    ben.is_connected().await;
    ben.marks_the_page().await;
    ben.ask(WATCH_FOLLOWED_LINKS, &[]).await;
    let id = opens_the_form_of(&ben, "m2").await;
    ben.until("was answered, so that the link is not followed", "return following.size === 0", &[])
        .await;
    lists(&ben, &["m3", "[form]", "m1"]).await;
    ben.presses(&format!("#edit--{id} a.button")).await;
    lists(&ben, &["m3", "m2", "m1"]).await;
    opens_the_form_of(&ben, "m2").await;
    ben.types(&format!("#text--{id}"), "what I wanted to say").await;
    let asks = "return document.querySelector(arguments[0]).checkVisibility()";
    let sure = format!("#message--{id} form button");
    assert_eq!(ada.ask(asks, &[json!(sure)]).await, json!(false), "one click deletes nothing");
    ada.presses(&format!("#message--{id} summary")).await;
    ada.presses(&sure).await;
    lists(&ada, &["m3", "m1"]).await;
    ben.until(
        "read that it is gone",
        "return document.querySelector('.post__note')?.textContent.includes('deleted')",
        &[],
    )
    .await;
    ben.presses(&format!("#edit--{id} button[type=submit]")).await;
    ben.reads(&format!("#error--edit--{id}"), "That message is gone.").await;
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
async fn a_link_that_nothing_answers_is_followed_though_the_one_before_it_was_answered() {
    let stage = Stage::open().await;
    let ada = stage.person("Ada").await;
    looks_at(&ada, 1).await;
    // One click right after the other: the answer to the first comes while the second waits for its
    // own, which is an error and leads nowhere.
    let clicks = "document.addEventListener('bellwire:applied', () => (sessionStorage.formCame ||= document.querySelector('form.post__form') ? 'yes' : ''))
        const link = document.createElement('a')
        link.href = '/blog/'
        link.setAttribute('bw-send', 'what nobody here knows')
        document.querySelector('#main').append(link)
        document.querySelector('#messages .post a[bw-stay]').click()
        link.click()";
    ada.ask(clicks, &[]).await;
    is_at(&ada, "/blog/").await;
    let form_came = ada.ask("return sessionStorage.formCame", &[]).await;
    assert_eq!(form_came, json!("yes"), "the first link was answered");
}

#[tokio::test]
async fn an_error_stands_in_the_form_that_asked() {
    let stage = Stage::open().await;
    let ada = stage.person("Ada").await;
    looks_at(&ada, 1).await;
    let id = opens_the_form_of(&ada, "m1").await;
    ada.types(&format!("#text--{id}"), &"y".repeat(201)).await;
    ada.presses(&format!("#edit--{id} button[type=submit]")).await;
    ada.reads(
        &format!("#error--text--{id}"),
        "A message holds at most 200 characters; this one has 201.",
    )
    .await;
    assert_eq!(ada.words_of("#error--text").await, "");
    let wrong = "return [...document.querySelectorAll('[aria-invalid=true]')].map((each) => each.id).join() === arguments[0]";
    ada.until("was told of that field alone", wrong, &[json!(format!("text--{id}"))]).await;
    writes(&ada, &"z".repeat(202)).await;
    ada.reads("#error--text", "A message holds at most 200 characters; this one has 202.").await;
    ada.reads("#left", "-2 left").await;
    let kept = ada.ask("return document.querySelector('#text').value.length", &[]).await;
    assert_eq!(kept, json!(202), "nothing typed is lost");
}

#[tokio::test]
async fn only_ones_own_messages_have_tools_when_they_are_somebodys() {
    let stage = Stage::open().await;
    let (admin, ada, ben) =
        (stage.person("Admin").await, stage.person("Ada").await, stage.person("Ben").await);
    admin.becomes_administrator().await;
    ada.signs_up().await;
    for person in [&admin, &ada, &ben] {
        person.visit("/social/").await;
        person.is_connected().await;
    }
    let name = ada.ask("return document.querySelector('#author').value", &[]).await;
    assert_eq!(name, json!("Ada"), "her name is filled in");
    writes(&ada, "mine").await;
    let tools = "return !document.querySelector('#messages .post__tools').hidden";
    let edit = "return !document.querySelector('#messages [bw-send=\"open edit page\"]').hidden";
    for (person, deletes, edits) in
        [(&admin, true, false), (&ada, true, true), (&ben, false, false)]
    {
        lists(person, &["mine"]).await;
        assert_eq!(person.ask(tools, &[]).await, json!(deletes), "{}", person.name());
        assert_eq!(person.ask(edit, &[]).await, json!(edits), "{}", person.name());
    }
}

#[tokio::test]
async fn where_no_socket_gets_through_the_list_is_live_and_forms_are_posted() {
    let stage = Stage::open().await;
    let ada = stage.person("Ada").await;
    let (ben, _cable) = stage.person_without_sockets("Ben").await;
    ben.expects(Trouble::Status(403));
    looks_at(&ada, 1).await;
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
async fn without_javascript_one_reads_turns_pages_writes_edits_and_deletes() {
    let stage = Stage::open().await;
    let (ada, ben) = (stage.person("Ada").await, stage.person_without_javascript("Ben").await);
    looks_at(&ada, 6).await;
    ben.visit("/social/").await;
    assert_eq!(ben.words_of("#messages .post:first-child .post__text").await, "m6");
    ben.presses(".paging__next").await;
    ben.find(".paging__previous").await;
    assert_eq!(ben.words_of("#messages .post:first-child .post__text").await, "m1");
    writes(&ben, "from a plain page").await;
    lists(&ada, &["from a plain page", "m6", "m5", "m4", "m3"]).await;
    ben.presses("#messages .post:first-child a.post__tool").await;
    ben.types("textarea.post__box", "mended on a plain page").await;
    ben.presses(".post__form button[type=submit]").await;
    lists(&ada, &["mended on a plain page", "m6", "m5", "m4", "m3"]).await;
    ben.presses("#messages .post:first-child summary").await;
    ben.presses("#messages .post:first-child form button").await;
    lists(&ada, &["m6", "m5", "m4", "m3", "m2"]).await;
    let shown = ada.ask(&format!("return {TEXTS}"), &[]).await;
    assert_eq!(shown.as_array().map(Vec::len), Some(5));
}
