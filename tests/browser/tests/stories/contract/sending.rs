//! What is sent by forms, links, clicks and changes.

use serde_json::json;

use super::app::{Content, open_page};
use super::page::{body, comes_true, hears, holds, is_cut_off, value};

#[tokio::test]
async fn the_fields_of_a_form_are_sent_once_or_submitted_by_the_browser() {
    let forms = "<form id=save bw-send=Save method=post>
          <input name=a value=1><input name=b value=x><input name=b value=y>
          <button name=by value=button>Save</button></form>
        <form id=upload bw-send=Upload method=post action=/post/upload enctype=multipart/form-data>
          <input type=file name=file><button>Upload</button></form>
        <form id=find bw-send=Find action=/found/><input name=q value=x><button>Find</button></form>
        <form id=tell bw-send=Tell><input name=text value=x><button>Tell</button></form>";
    let (ada, app) = open_page(Content::Of(body(forms))).await;
    ada.presses("#save button").await;
    let mut action = app.actions.next().await;
    let id = action.as_object_mut().and_then(|action| action.remove("client_id"));
    let data = json!({ "a": "1", "b": ["x", "y"], "by": "button" });
    assert_eq!(action, json!({ "action": "Save", "data": data }));
    assert_eq!(hears(&ada, "answered").await, json!(["save", { "clientId": id, "data": data }]));

    let choose = "const files = new DataTransfer()
        files.items.add(new File(['content'], 'name.txt'))
        document.querySelector('#upload input').files = files.files";
    ada.run_script(choose, &[]).await;
    ada.presses("#upload button").await;
    let post = app.posts.next().await;
    assert!(post.header("content-type").starts_with("multipart/form-data"));
    assert!(post.body.contains("content"), "{}", post.body);

    is_cut_off(&ada, &app).await;
    ada.types("[name=a]", "2").await;
    ada.presses("#save button").await;
    let post = app.posts.next().await;
    assert_eq!((&*post.path, &*post.body), ("/", "a=2&b=x&b=y&by=button"));
    assert_eq!(post.header("bellwire-request"), "", "the browser submits it");
    ada.presses("#tell button").await;
    let refused = json!(["tell", {
        "clientId": null, "data": { "text": "x" }, "error": "You are not connected.", "field": null,
    }]);
    assert_eq!(hears(&ada, "refused").await, refused);
    app.page("/found/", Content::Of("found".to_owned()));
    ada.types("[name=q]", "y").await;
    ada.presses("#find button").await;
    comes_true(&ada, "location.pathname + location.search === '/found/?q=y'").await;
}

#[tokio::test]
async fn a_double_click_submits_a_form_once() {
    let forms = "<form id=form bw-send=Say><input id=text name=text><button>Say</button></form>
        <form id=more bw-send=More><input type=hidden name=n value=1><button>More</button></form>";
    let (ada, app) = open_page(Content::Of(body(forms))).await;
    let submits = async |script: &str| ada.run_script(script, &[]).await;
    ada.types("#text", "hello").await;
    submits("form.requestSubmit(); form.requestSubmit(); form.reset(); form.requestSubmit()").await;
    assert_eq!(app.actions.next().await["data"], json!({ "text": "hello" }));
    app.hears_nothing(&ada).await;
    ada.types("#text", "hello").await;
    submits("form.requestSubmit()").await;
    assert_eq!(app.actions.next().await["action"], "Say", "it was typed again");
    let later = "const now = performance.now()
        performance.now = () => now + 1001
        form.requestSubmit()";
    submits(later).await;
    assert_eq!(app.actions.next().await["action"], "Say", "this is no double click");
    submits("more.requestSubmit(); more.requestSubmit()").await;
    for _ in 0..2 {
        assert_eq!(app.actions.next().await["action"], "More", "there is nothing to type");
    }
}

#[tokio::test]
async fn a_click_on_a_link_is_sent_and_the_link_is_followed_if_nothing_answers() {
    let links = "<a id=go href=/next/ bw-send=Go bw-data='{\"page\": \"next\"}'>Go</a>
        <a id=stay href=/next/ bw-send=Show bw-stay>Show</a><div id=content></div>";
    let (ada, app) = open_page(Content::Of(body(links))).await;
    app.page("/next/", Content::Of("next".to_owned()));
    ada.run_script("clock.stop()", &[]).await;
    let modified = "addEventListener('click', (event) => {
          window.wasTaken = event.defaultPrevented
          event.preventDefault()
        }, { once: true })
        const click = { ctrlKey: true, bubbles: true, cancelable: true }
        go.dispatchEvent(new MouseEvent('click', click))
        return wasTaken";
    assert_eq!(ada.run_script(modified, &[]).await, false, "this opens a tab");

    ada.presses("#stay").await;
    let action = app.actions.next().await;
    assert_eq!((&action["action"], &action["data"]), (&json!("Show"), &json!({})));
    app.shows(&ada, "<p hx-swap-oob=\"innerHTML:#content\">shown</p>").await;
    ada.reads("#content", "shown").await;
    ada.run_script("clock.pass(10000)", &[]).await;
    assert_eq!(ada.path().await, "/");

    ada.presses("#go").await;
    let action = app.actions.next().await;
    assert_eq!((&action["action"], &action["data"]), (&json!("Go"), &json!({ "page": "next" })));
    let led =
        "<p hx-swap-oob=\"innerHTML:#content\" data-bw-url=\"/next/\"><b bw-at=next>led</b></p>";
    app.shows(&ada, led).await;
    ada.marks_page().await;
    ada.goes_back().await;
    comes_true(&ada, "content.textContent === ''").await;
    ada.run_script("clock.pass(10000)", &[]).await;
    ada.did_not_reload().await;
    assert_eq!(ada.path().await, "/", "it was answered");

    ada.reloads().await;
    ada.visit("/").await;
    ada.is_connected().await;
    ada.run_script("clock.stop()", &[]).await;
    ada.presses("#go").await;
    app.actions.next().await;
    ada.marks_page().await;
    ada.run_script("clock.pass(3999)", &[]).await;
    ada.did_not_reload().await;
    ada.run_script("clock.pass(1)", &[]).await;
    comes_true(&ada, "!window.markOfTheStory && location.pathname === '/next/'").await;
    ada.visit("/").await;
    ada.is_connected().await;
    is_cut_off(&ada, &app).await;
    ada.presses("#go").await;
    comes_true(&ada, "location.pathname === '/next/'").await;
}

#[tokio::test]
async fn a_click_on_any_element_is_sent_or_does_what_it_does_without_a_connection() {
    let page = "<div id=bell bw-click=Ring bw-data='{\"loud\": true}'><b>Ring</b></div>
        <a id=link href=/next/ bw-click=Ring>Ring</a>
        <form id=form bw-send=Save method=post action=/post/ring>
          <button name=ring value=1 bw-click=Ring>Ring</button></form>";
    let (ada, app) = open_page(Content::Of(body(page))).await;
    app.page("/next/", Content::Of("next".to_owned()));
    for (selector, data) in
        [("#bell b", json!({ "loud": true })), ("#link", json!({})), ("#form button", json!({}))]
    {
        ada.presses(selector).await;
        let action = app.actions.next().await;
        assert_eq!((&action["action"], &action["data"]), (&json!("Ring"), &data), "{selector}");
    }
    app.hears_nothing(&ada).await;
    is_cut_off(&ada, &app).await;
    ada.presses("#bell b").await;
    let error = "You are not connected.";
    let detail =
        json!({ "clientId": null, "data": { "loud": true }, "error": error, "field": null });
    let refused = json!(["bell", detail]);
    assert_eq!(hears(&ada, "refused").await, refused);
    ada.presses("#form button").await;
    assert_eq!(app.posts.next().await.body, "ring=1");
    assert_eq!(value(&ada, "events.filter(([name]) => name === 'refused').length").await, 1);
    ada.presses("#link").await;
    comes_true(&ada, "location.pathname === '/next/'").await;
}

#[tokio::test]
async fn what_is_typed_is_sent_after_a_pause_and_only_the_newest_counts() {
    let page = "<form id=form bw-change=Check bw-send=Save><input id=text name=text>
          <input type=hidden name=client_id><input name=more value=m><p id=error--text></p>
          <button bw-disable>Save</button></form>
        <input id=alone name=q bw-change=Search bw-debounce=300>
        <input id=late name=late bw-change=Late bw-debounce=blur>";
    let (ada, app) = open_page(Content::Of(body(page))).await;
    ada.run_script("clock.stop()", &[]).await;
    let pass = async |time: u64| ada.run_script("clock.pass(arguments[0])", &[json!(time)]).await;
    ada.types("#text", "b").await;
    pass(200).await;
    ada.types("#text", "ba").await;
    pass(249).await;
    app.hears_nothing(&ada).await;
    pass(1).await;
    let action = app.actions.next().await;
    assert_eq!(action["action"], "Check");
    assert_eq!(action["data"], json!({ "text": "ba", "more": "m" }), "the id is of submits");

    // The answer to an older text does not matter.
    let watch = "window.shown = ''
        const place = document.querySelector('#error--text')
        const observer = new MutationObserver(() => (shown += place.textContent))
        observer.observe(place, { childList: true })";
    ada.run_script(watch, &[]).await;
    app.holds_back();
    ada.types("#text", "bad").await;
    pass(250).await;
    assert_eq!(app.actions.next().await["data"]["text"], "bad");
    ada.types("#text", "bade").await;
    pass(250).await;
    app.answers(1);
    assert_eq!(app.actions.next().await["data"]["text"], "bade");
    let state = "[form.ariaBusy, document.querySelector('button').disabled]";
    assert_eq!(value(&ada, state).await, json!(["true", true]));
    app.answers(1);
    let newest = "events.some(([name, , { data }]) => name === 'answered' && data.text === 'bade')";
    comes_true(&ada, newest).await;
    assert!(holds(&ada, "!shown && !events.some(([name]) => name === 'refused')").await);
    assert_eq!(value(&ada, state).await, json!([null, false]));

    // A submit cancels what waits for its pause.
    app.answers(100);
    ada.types("#text", "badge").await;
    ada.presses("#form button").await;
    assert_eq!(app.actions.next().await["action"], "Save");
    pass(250).await;
    app.hears_nothing(&ada).await;

    ada.types("#alone", "x").await;
    pass(299).await;
    app.hears_nothing(&ada).await;
    pass(1).await;
    let action = app.actions.next().await;
    assert_eq!((&action["action"], &action["data"]), (&json!("Search"), &json!({ "q": "x" })));

    ada.types("#late", "y").await;
    pass(5000).await;
    app.hears_nothing(&ada).await;
    ada.run_script("document.activeElement.blur()", &[]).await;
    let action = app.actions.next().await;
    assert_eq!((&action["action"], &action["data"]), (&json!("Late"), &json!({ "late": "y" })));

    is_cut_off(&ada, &app).await;
    ada.types("#alone", "xy").await;
    pass(300).await;
    ada.run_script("bellwire.reconnect()", &[]).await;
    ada.is_connected().await;
    app.hears_nothing(&ada).await;
}
