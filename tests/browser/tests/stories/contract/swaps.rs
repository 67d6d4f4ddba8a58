//! What survives a swap, and what is told of it.

use bellwire_browser_tests::Person;
use serde_json::json;

use super::app::{Content, open_page};
use super::page::{body, comes_true, holds, value};

/// A form, a list, a dialog and a popover, each with state of its own.
fn stateful(action: &str) -> String {
    format!(
        "<form id=form action={action}><textarea id=text name=text></textarea>
           <input name=nameless><input type=checkbox name=box value=1>
           <select name=pick><option>1</option><option>2</option></select></form>
         <details><summary>More</summary>text</details>
         <div id=scroller style='height: 40px; overflow: auto'>
           <p style='height: 400px'>high</p></div>
         <dialog id=dialog>A dialog</dialog><div id=popover popover>A popover</div>"
    )
}

/// Fills in everything; the focus is in the text, of which a part is selected.
async fn fills_in(person: &Person) {
    person.types("[name=nameless]", "x").await;
    person.types("#text", "half").await;
    let rest = "const text = document.querySelector('#text')
        text.isOld = true
        text.setSelectionRange(1, 3)
        document.querySelector('[name=box]').checked = true
        document.querySelector('[name=pick]').value = '2'
        document.querySelector('details').open = true
        scroller.scrollTop = 30
        popover.showPopover()";
    person.run_script(rest, &[]).await;
}

/// What [`fills_in`] fills in.
const STATE: &str = "['#text', '[name=nameless]', '[name=pick]']
    .map((selector) => document.querySelector(selector).value)
    .concat(document.querySelector('[name=box]').checked, document.querySelector('details').open,
      scroller.scrollTop, popover.matches(':popover-open'))";

#[tokio::test]
async fn a_swap_preserves_what_somebody_has_typed_chosen_opened_or_scrolled() {
    let region = |content: &str| format!("<div id=region>{content}</div>");
    let page = "<button id=load hx-get=/part hx-target='#region'>Load</button>
        <button id=leave hx-get=/part hx-target='#region' hx-push-url=/left/>Leave</button>";
    let (ada, app) =
        open_page(Content::Of(body(&format!("{page}{}", region(&stateful("/a")))))).await;
    let filled = json!(["half", "x", "2", true, true, 30, true]);
    let empty = json!(["", "", "1", false, false, 0, false]);
    let focus = "[document.activeElement.id, document.activeElement.selectionStart,
        document.activeElement.selectionEnd, document.activeElement.isOld]";
    let replaced =
        |content: &str| format!("<div hx-swap-oob=\"innerHTML:#region\">{content}</div>");
    assert_eq!(value(&ada, STATE).await, empty);
    fills_in(&ada).await;
    app.shows(&ada, &replaced(&format!("<i id=by-frame></i>{}", stateful("/a")))).await;
    assert_eq!(value(&ada, STATE).await, filled);
    assert_eq!(
        value(&ada, focus).await,
        json!(["text", 1, 3, true]),
        "the element itself is moved"
    );

    // The same by HTTP.
    app.page("/part", Content::Plain(format!("<i id=by-http></i>{}", stateful("/a"))));
    ada.run_script("load.click()", &[]).await;
    comes_true(&ada, "document.querySelector('#by-http')").await;
    assert_eq!(value(&ada, STATE).await, filled);
    assert_eq!(value(&ada, focus).await, json!(["text", 1, 3, true]));

    // A field without an id is found by its name.
    ada.run_script("document.querySelector('[name=nameless]').select()", &[]).await;
    app.shows(&ada, &replaced(&stateful("/a"))).await;
    let focus_of_another = "[document.activeElement.name, document.activeElement.selectionStart]";
    assert_eq!(value(&ada, focus_of_another).await, json!(["nameless", 0]));

    ada.run_script("popover.hidePopover(); dialog.showModal()", &[]).await;
    app.shows(&ada, &replaced(&stateful("/a"))).await;
    assert!(holds(&ada, "dialog.matches(':modal')").await);
    ada.run_script("dialog.close(); dialog.show()", &[]).await;
    app.shows(&ada, &replaced(&stateful("/a"))).await;
    assert!(holds(&ada, "dialog.open && !dialog.matches(':modal')").await);

    // The field of another form is another field.
    app.shows(&ada, &replaced(&stateful("/b"))).await;
    assert_eq!(value(&ada, "document.querySelector('#text').value").await, "");
    assert_eq!(value(&ada, "document.querySelector('[name=nameless]').value").await, "");

    // So is everything in a page at another path.
    fills_in(&ada).await;
    let led = "<div hx-swap-oob=\"innerHTML:#region\" data-bw-url=\"/next/\"><i bw-at=next></i>";
    app.shows(&ada, &format!("{led}{}</div>", stateful("/b"))).await;
    assert_eq!(value(&ada, STATE).await, empty);
    app.shows(&ada, &replaced(&stateful("/a"))).await;
    fills_in(&ada).await;
    ada.run_script("document.querySelector('#leave').click()", &[]).await;
    comes_true(&ada, "location.pathname === '/left/' && document.querySelector('#by-http')").await;
    assert_eq!(value(&ada, STATE).await, empty);

    // The server's version replaces what is in a fresh element.
    let fresh = |content: &str| replaced(&format!("<div data-bw-fresh>{content}</div>"));
    app.shows(&ada, &fresh(&stateful("/b"))).await;
    fills_in(&ada).await;
    ada.run_script("dialog.showModal(); document.querySelector('#text').focus()", &[]).await;
    app.shows(&ada, &fresh(&stateful("/b"))).await;
    let typed = "[document.querySelector('#text').value, dialog.open, document.activeElement.id]";
    assert_eq!(value(&ada, typed).await, json!(["", false, ""]));
}

#[tokio::test]
async fn an_element_with_a_kept_child_stays_where_it_is_while_frames_update_its_surroundings() {
    let list = "<ul id=list><li id=a>a</li><li id=open>open<form data-bw-keep></form></li>\
        <li id=b>b</li></ul>";
    let (ada, app) = open_page(Content::Of(body(list))).await;
    let mark = "document.querySelector('#open').isOld = true";
    let shown =
        "[...list.children].map(({ textContent, isOld }) => textContent + (isOld ? '!' : ''))";
    ada.run_script(mark, &[]).await;
    let items = "<li id=z>z</li><li id=a>A</li><li id=open>shut</li><li id=b>B</li>";
    for how in ["innerHTML", "outerHTML"] {
        for morph in ["", " data-bw-how=morph"] {
            let frame = format!("<ul hx-swap-oob=\"{how}:#list\" id=list{morph}>{items}</ul>");
            app.shows(&ada, &frame).await;
            let expected = json!(["z", "A", "open!", "B"]);
            assert_eq!(value(&ada, shown).await, expected, "{how}{morph}");
            let without = frame.replace("<li id=open>shut</li>", "");
            app.shows(&ada, &without).await;
            assert_eq!(value(&ada, shown).await, expected, "{how}{morph}, without it");
        }
    }
    app.shows(&ada, "<li hx-swap-oob=\"outerHTML:#open\" id=open>selected</li>").await;
    assert_eq!(value(&ada, shown).await, json!(["z", "A", "selected", "B"]));
    ada.reloads().await;
    ada.is_connected().await;
    ada.run_script(mark, &[]).await;
    let led = "<ul hx-swap-oob=\"innerHTML:#list\" data-bw-url=\"/next/\">\
        <li id=open bw-at=next>led</li></ul>";
    app.shows(&ada, led).await;
    assert_eq!(value(&ada, shown).await, json!(["led"]));
}

#[tokio::test]
async fn the_functions_of_a_hook_are_called_as_its_elements_come_change_and_go() {
    let page = "<section id=chart bw-hook=chart><p id=inner>1</p></section><p id=sibling></p>
        <section id=other bw-hook=other></section>
        <button id=load hx-get=/part hx-target='#inner'>Load</button>";
    let (ada, app) = open_page(Content::Of(body(page))).await;
    let hook = "window.calls = []
        const call = (name) => (element) => calls.push([name, element.id])
        const [mounted, updated, removed] = ['mounted', 'updated', 'removed'].map(call)
        bellwire.hook('chart', { mounted, updated, removed })";
    ada.run_script(hook, &[]).await;
    let calls = async || value(&ada, "calls.splice(0)").await;
    assert_eq!(calls().await, json!([["mounted", "chart"]]));
    app.shows(&ada, "<p hx-swap-oob=\"innerHTML:#inner\">2</p>").await;
    assert_eq!(calls().await, json!([["updated", "chart"]]));
    app.shows(&ada, "<p hx-swap-oob=\"innerHTML:#sibling\">2</p>").await;
    assert_eq!(calls().await, json!([]));
    app.page("/part", Content::Plain("<i id=part></i>".to_owned()));
    ada.presses("#load").await;
    comes_true(&ada, "document.querySelector('#part')").await;
    comes_true(&ada, "calls.length").await;
    assert_eq!(calls().await, json!([["updated", "chart"]]));
    app.shows(
        &ada,
        "<div hx-swap-oob=\"beforeend:#main\"><p><i id=second bw-hook=chart></i></p></div>",
    )
    .await;
    assert_eq!(calls().await, json!([["mounted", "second"]]));
    app.shows(&ada, "<section hx-swap-oob=\"outerHTML:#chart\" id=third bw-hook=chart></section>")
        .await;
    assert_eq!(calls().await, json!([["removed", "chart"], ["mounted", "third"]]));
    app.shows(&ada, "<i hx-swap-oob=\"delete:#second\"></i>").await;
    assert_eq!(calls().await, json!([["removed", "second"]]));
    app.shows(
        &ada,
        "<i hx-swap-oob=\"innerHTML:#main\" data-bw-url=\"/next/\"><i bw-at=next></i></i>",
    )
    .await;
    assert_eq!(calls().await, json!([["removed", "third"]]));
    ada.goes_back().await;
    comes_true(&ada, "calls.length").await;
    assert_eq!(calls().await, json!([["mounted", "chart"]]), "restored from the history");
}
