//! Actions from their beginning to their end, and the functions for scripts.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::app::{Content, open_page};
use super::page::{body, comes_true, hears, holds, is_cut_off, value};

#[tokio::test]
async fn a_kept_action_is_shown_as_under_way_and_ends_with_its_answer() {
    let page = "<form id=form bw-send=Say><input type=hidden name=client_id>
          <input id=text name=text><button bw-disable>Say</button><button>More</button></form>
        <button id=bell bw-click=Ring bw-disable>Ring</button>";
    let (ada, app) = open_page(Content::Of(body(page))).await;
    let state = "[form.getAttribute('aria-busy'), form.getAttribute('data-bw-busy'),
        ...[...document.querySelectorAll('button')].map(({ disabled }) => disabled)]";
    let at_rest = json!([null, null, false, false, false]);
    assert_eq!(value(&ada, state).await, at_rest);
    app.holds_back();
    ada.types("#text", "hello").await;
    ada.presses("#form button").await;
    let first = app.actions.next().await;
    assert_eq!(value(&ada, state).await, json!(["true", "", true, false, false]));
    let id = first["data"]["client_id"].clone();
    assert!(id.as_str().is_some_and(|id| id.len() > 16), "{first}");
    assert_eq!(first, json!({ "action": "Say", "data": { "client_id": id, "text": "hello" } }));
    let waiting = json!([{ "id": id, "action": "Say", "data": first["data"], "form": "form" }]);
    assert_eq!(value(&ada, "bellwire.pending()").await, waiting);
    assert_eq!(value(&ada, "JSON.parse(sessionStorage['bellwire-unowned:/live'])").await, waiting);

    // Unanswered, it is sent again by the next connection, and by the next page.
    ada.run_script("bellwire.reconnect()", &[]).await;
    assert_eq!(app.actions.next().await, first);
    let sends = "events.filter(([name]) => name === 'sent').length";
    assert_eq!(value(&ada, sends).await, 2);
    ada.reloads().await;
    assert_eq!(app.actions.next().await, first);
    let detail = json!(["form", { "clientId": id, "data": first["data"] }]);
    for event in ["queued", "sent"] {
        assert_eq!(hears(&ada, event).await, detail);
    }
    // Its form is replaced meanwhile, and then removed.
    ada.run_script("form.replaceWith(form.cloneNode(true)); form.remove()", &[]).await;
    app.answers(100);
    let answered = json!(["document", { "clientId": id, "data": first["data"] }]);
    assert_eq!(hears(&ada, "answered").await, answered);
    assert_eq!(
        value(&ada, "[bellwire.pending(), sessionStorage['bellwire-unowned:/live'] ?? null]").await,
        json!([[], null])
    );

    ada.reloads().await;
    ada.is_connected().await;
    ada.types("#text", "hello").await;
    ada.presses("#form button").await;
    let second = app.actions.next().await;
    hears(&ada, "answered").await;
    ada.types("#text", "hello again").await;
    ada.presses("#form button").await;
    let third = app.actions.next().await;
    let ids = [&first, &second, &third].map(|action| action["data"]["client_id"].to_string());
    assert_eq!(BTreeSet::from(ids).len(), 3, "each submit has its own id");
    comes_true(&ada, "bellwire.pending().length === 0").await;
    assert_eq!(value(&ada, state).await, at_rest);

    ada.types("#text", "bad").await;
    ada.presses("#form button").await;
    let refused = hears(&ada, "refused").await;
    assert_eq!(refused[0], "form");
    assert_eq!(refused[1]["error"], "This is <b>bad</b>.");
    assert_eq!(refused[1]["field"], "text");
    assert_eq!(value(&ada, state).await, at_rest);
}

#[tokio::test]
async fn an_action_that_is_not_kept_is_sent_now_or_never() {
    let page = "<button id=bell bw-click=Ring bw-disable>Ring</button>";
    let (ada, app) = open_page(Content::Of(body(page))).await;
    app.holds_back();
    ada.presses("#bell").await;
    let mut action = app.actions.next().await;
    let id = action["client_id"].take();
    assert_eq!(action, json!({ "action": "Ring", "data": {}, "client_id": null }));
    assert!(holds(&ada, "bell.disabled && bell.ariaBusy === 'true'").await);
    ada.run_script("bellwire.reconnect()", &[]).await;
    assert_eq!(hears(&ada, "lost").await, json!(["bell", { "clientId": id, "data": {} }]));
    assert!(holds(&ada, "!bell.disabled && !bell.ariaBusy").await);
    app.answers(100);
    ada.is_connected().await;
    app.hears_nothing(&ada).await;
}

#[tokio::test]
async fn scripts_send_cancel_and_list_actions() {
    let (ada, app) = open_page(Content::Of(body(""))).await;
    let same = "return import('/static/bellwire.js').then((module) =>
        module.default === bellwire
        && Object.keys(bellwire).every((name) => module[name] === bellwire[name])
        && Object.keys(bellwire).sort().join())";
    let names = "cancel,hook,onState,pending,post,reconnect,send,state";
    assert_eq!(ada.run_script(same, &[]).await, names);
    app.holds_back();
    let once = "return bellwire.send('Once', { n: 1, half: 'a\\ud83d' })";
    let once = ada.run_script(once, &[]).await;
    let data = json!({ "n": 1, "half": "a\u{fffd}" });
    let sent = json!({ "action": "Once", "data": data, "client_id": once });
    assert_eq!(app.actions.next().await, sent);
    let kept = ada.run_script("return bellwire.send('Kept', { client_id: '' })", &[]).await;
    assert!(kept.as_str().is_some_and(|id| id.len() > 16), "{kept}");
    ada.run_script("bellwire.send('Mine', { client_id: 'mine' })", &[]).await;
    let pending = json!([
        { "id": kept, "action": "Kept", "data": { "client_id": kept }, "form": "" },
        { "id": "mine", "action": "Mine", "data": { "client_id": "mine" }, "form": "" },
        { "id": once, "action": "Once", "data": data, "form": "" },
    ]);
    assert_eq!(value(&ada, "bellwire.pending()").await, pending);
    let cancel = "return [bellwire.cancel(arguments[0]), bellwire.cancel(arguments[0])]";
    assert_eq!(ada.run_script(cancel, &[kept]).await, json!([true, false]));
    app.answers(100);
    for expected in ["Kept", "Mine"] {
        assert_eq!(app.actions.next().await["action"], expected);
    }
    comes_true(&ada, "bellwire.pending().length === 0").await;
    let answered =
        "events.filter(([name]) => name === 'answered').map(([, , { clientId }]) => clientId)";
    assert_eq!(value(&ada, answered).await, json!([once, "mine"]), "a cancelled one has no answer");

    // What the browser has not transmitted yet would be sent later by this connection.
    app.connections.next().await;
    let unsent = "Object.defineProperty(WebSocket.prototype, 'bufferedAmount', { get: () => 1 })
        return bellwire.cancel(bellwire.send('Never'))";
    assert_eq!(ada.run_script(unsent, &[]).await, true);
    app.connections.next().await;
    ada.run_script("delete WebSocket.prototype.bufferedAmount", &[]).await;
    assert_eq!(app.actions.next().await["action"], "Never", "here it was transmitted");
    ada.is_connected().await;

    is_cut_off(&ada, &app).await;
    let never = "return [bellwire.send('Once'), bellwire.send('Kept', { client_id: 'a' }),
        bellwire.send('Kept', { client_id: 'b' }), bellwire.cancel('a'),
        bellwire.send('Kept', { client_id: 'c', text: 'x'.repeat(62000) })]";
    let results = json!([null, "a", "b", true, null]);
    assert_eq!(ada.run_script(never, &[]).await, results);
    assert_eq!(hears(&ada, "refused").await[1]["error"], "This is too long to be sent.");
    ada.run_script("bellwire.reconnect()", &[]).await;
    assert_eq!(app.actions.next().await["data"]["client_id"], "b");
    hears(&ada, "answered").await;
    app.closes(1000);
    ada.is_offline().await;
    let final_close = "return [bellwire.send('Once'), bellwire.send('Kept', { client_id: 'd' })]";
    assert_eq!(ada.run_script(final_close, &[]).await, json!([null, null]));
}

#[tokio::test]
async fn an_error_is_shown_at_its_field_in_the_form_that_sent_the_action() {
    let form = |id: &str, errors: &str| {
        format!(
            "<form id={id} bw-send=Say><input type=hidden name=client_id>
             <input class=field name=text aria-describedby='{errors}'><button>Say</button>"
        )
    };
    let page = format!(
        "{}<p id=error--text--first></p><p id=error--first></p></form>
         {}<p id=error--text></p></form><p id=error></p>",
        form("first", "hint error--text--first"),
        form("second", "error--text"),
    );
    let (ada, app) = open_page(Content::Of(body(&page))).await;
    let shown =
        "[...document.querySelectorAll('[id^=error]'), ...document.querySelectorAll('.field')]
        .map((each) => each.id ? each.textContent : each.getAttribute('aria-invalid'))";
    let says = async |form: &str, text: &str| {
        ada.types(&format!("#{form} .field"), text).await;
        ada.presses(&format!("#{form} button")).await;
        app.actions.next().await;
    };
    let bad = "This is <b>bad</b>.";
    says("first", "bad").await;
    ada.reads("#error--text--first", bad).await;
    assert_eq!(value(&ada, shown).await, json!([bad, "", "", "", "true", null]));
    says("second", "bad").await;
    ada.reads("#error--text", bad).await;
    assert_eq!(value(&ada, shown).await, json!([bad, "", bad, "", "true", "true"]));
    app.holds_back();
    says("first", "worse").await;
    assert_eq!(value(&ada, shown).await, json!(["", "", bad, "", null, "true"]), "cleared");
    app.answers(1);
    ada.reads("#error--first", "This is worse.").await;
    assert_eq!(value(&ada, shown).await, json!(["", "This is worse.", bad, "", null, "true"]));
    says("second", "worse").await;
    app.answers(1);
    ada.reads("#error", "This is worse.").await;
    assert_eq!(hears(&ada, "refused").await[1]["field"], Value::Null);
    assert_eq!(
        value(&ada, shown).await,
        json!(["", "This is worse.", "", "This is worse.", null, null])
    );
    app.shows(&ada, "<p hx-swap-oob=\"innerHTML:#error--text\">Not this.</p>").await;
    assert_eq!(value(&ada, shown).await[5], "true", "any content marks the field");
    app.shows(&ada, "<p hx-swap-oob=\"innerHTML:#error--text\"></p>").await;
    assert_eq!(value(&ada, shown).await[5], Value::Null);
}

#[tokio::test]
async fn the_result_of_an_action_replaces_its_fields_and_is_no_answer() {
    let form = |attributes: &str, field: &str| {
        format!(
            "<form {attributes} bw-send=Say>{field}<input id=text name=text>
             <input type=hidden name=frame><button>Say</button></form>"
        )
    };
    let kept = "<input type=hidden name=client_id>";
    let (ada, app) = open_page(Content::Of(body(&form("id=form", kept)))).await;
    let says = async |frame: &str| {
        let script = "document.querySelector('[name=frame]').value = arguments[0]";
        ada.run_script(script, &[json!(frame)]).await;
        ada.types("#text", "hello").await;
        ada.presses("button").await;
        app.actions.next().await
    };
    let again = form("hx-swap-oob=\"outerHTML:#form\" id=form", kept);
    // The server shows what was said, and an empty form.
    app.holds_back();
    says(&format!("<i hx-swap-oob=\"none:body\" data-client-id=CLIENT_ID></i>{again}")).await;
    comes_true(&ada, "document.querySelector('#text').value === ''").await;
    assert!(holds(&ada, "!events.some(([name]) => name === 'answered')").await);
    assert_eq!(value(&ada, "bellwire.pending().length").await, 1);
    app.answers(1);
    hears(&ada, "answered").await;
    assert_eq!(value(&ada, "bellwire.pending().length").await, 0);

    // The same without a result: what was typed stays until the answer.
    says(&again).await;
    comes_true(&ada, "document.querySelector('[name=frame]').value === ''").await;
    assert!(holds(&ada, "document.querySelector('#text').value === 'hello'").await);
    app.answers(1);
    comes_true(&ada, "bellwire.pending().length === 0").await;
    app.shows(&ada, &again).await;
    assert!(holds(&ada, "document.querySelector('#text').value === ''").await);

    // An action that is not kept.
    app.answers(100);
    let once = form("hx-swap-oob=\"outerHTML:#form\" id=form", "");
    app.shows(&ada, &once).await;
    says("").await;
    comes_true(&ada, "bellwire.pending().length === 0").await;
    app.shows(&ada, &once).await;
    assert!(holds(&ada, "document.querySelector('#text').value === 'hello'").await);
}
