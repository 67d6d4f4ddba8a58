//! Frames from the server.

use serde_json::json;

use super::app::{Content, PAGES, open, open_page};
use super::page::{body, comes_true, hears, holds, value};

#[tokio::test]
async fn the_elements_of_a_frame_are_placed_in_order_and_one_that_fails_stops_no_other() {
    let list = "<p id=one></p><input id=field>
        <ul id=list data-feed=room.1 data-seq=e1.4><li id=a>a</li><li id=b>b</li></ul>";
    let (ada, app) = open_page(Content::Of(body(list))).await;
    assert!(holds(&ada, "!events.some(([name]) => name === 'applied')").await, "the hello is none");

    let again = "<ul hx-swap-oob=\"beforeend:#list\" data-feed=room.1 data-seq=e1.5>\
        <li id=a>A</li><li id=c>c</li></ul>";
    app.shows(&ada, again).await;
    assert_eq!(value(&ada, "document.querySelector('#list').textContent").await, "Abc");
    assert_eq!(value(&ada, "document.querySelector('#list').dataset.seq").await, "e1.5");
    let applied = json!(["document", { "feed": "room.1", "seq": "e1.5" }]);
    assert_eq!(hears(&ada, "applied").await, applied);

    let listen = "window.rung = []
        document.addEventListener('app:ring', ({ detail }) =>
          rung.push([document.querySelector('#one').textContent, detail]))";
    ada.run_script(listen, &[]).await;
    let frame = "<p hx-swap-oob=\"innerHTML:#one\">before</p>
        <i hx-swap-oob=\"none:body\" data-bw-event=\"app:ring\" data-bw-detail='{\"n\": 1}'></i>
        <i hx-swap-oob=\"none:body\" data-bw-event=\"app:ring\" data-bw-detail=\"{\"></i>
        <p hx-swap-oob=\"innerHTML:#one\">after</p>
        <i hx-swap-oob=\"none:body\" data-bw-event=\"app:ring\"></i>
        <p>nowhere</p>";
    app.shows(&ada, frame).await;
    assert_eq!(value(&ada, "rung").await, json!([["before", { "n": 1 }], ["after", null]]));
    assert!(holds(&ada, "!document.body.textContent.includes('nowhere')").await);
    let told = ada.console_messages().await.join("\n");
    for part in ["a part of a frame could not be applied", "1 part(s) of a frame name no target"] {
        assert!(told.contains(part), "{told}");
    }

    let titled =
        "<p hx-swap-oob=\"innerHTML:#one\" data-bw-title=\"Another\" data-bw-focus=\"#field\"></p>";
    app.shows(&ada, titled).await;
    assert!(holds(&ada, "document.title === 'Another'").await);
    assert!(holds(&ada, "document.activeElement.id === 'field'").await);

    ada.run_script("for (const item of list.children) item.isOld = true", &[]).await;
    let morph = "<ul hx-swap-oob=\"outerHTML:#list\" data-bw-how=morph id=list>\
        <li id=a>A</li><li id=b>B</li></ul>";
    app.shows(&ada, morph).await;
    let kept = "[...list.children].map((item) => [item.textContent, !!item.isOld])";
    assert_eq!(value(&ada, kept).await, json!([["A", true], ["B", true]]));
    app.shows(&ada, &morph.replace(" data-bw-how=morph", "")).await;
    assert_eq!(value(&ada, kept).await, json!([["A", false], ["B", false]]));
}

#[tokio::test]
async fn a_bounded_list_loses_its_oldest_items_except_those_in_use() {
    let items = |names: &str| -> String {
        names.chars().map(|name| format!("<li id={name}>{name}<input></li>")).collect()
    };
    let list = format!("<ul id=list>{}</ul>", items("abcd"));
    let (ada, app) = open_page(Content::Of(body(&list))).await;
    let add = |how: &str, names: &str| {
        format!("<ul hx-swap-oob=\"{how}:#list\" data-bw-keep-last=3>{}</ul>", items(names))
    };
    let shown = "list.textContent";
    app.shows(&ada, &add("beforeend", "e")).await;
    assert_eq!(value(&ada, shown).await, "cde");
    app.shows(&ada, &add("afterbegin", "b")).await;
    assert_eq!(value(&ada, shown).await, "bcd");
    ada.types("#b input", "half").await;
    let open = "c.innerHTML = 'c<form data-bw-keep></form>'
        document.querySelector('#d input').focus()";
    ada.run_script(open, &[]).await;
    app.shows(&ada, &add("beforeend", "efgh")).await;
    assert_eq!(value(&ada, shown).await, "bcdfgh", "with text, kept, with the focus, and three");
}

#[tokio::test]
async fn a_frame_leads_to_another_address_with_a_new_entry_of_the_history_or_a_new_name() {
    let home = body("<div id=content style='height: 9000px'>home</div>");
    let (ada, app) = open_page(Content::Of(home.clone())).await;
    let away = "<main id=main bw-connect=/live><div id=content><p bw-at=away>away</p></div></main>";
    app.page("/away/", Content::Of(away.to_owned()));
    assert_eq!(app.connections.next().await, "/live?dialect=htmx&at=home&hello=1");
    let start = "scrollTo(0, 500); window.length_ = history.length; return scrollY";
    assert_eq!(ada.run_script(start, &[]).await, 500);

    let rename = |url: &str| format!("<p hx-swap-oob=\"none:body\" data-bw-url=\"{url}\"></p>");
    app.shows(&ada, &rename("/home/?x=1")).await;
    assert!(holds(&ada, "location.pathname + location.search === '/home/?x=1'").await);
    assert!(holds(&ada, "history.length === length_ && scrollY === 500").await);
    app.shows(&ada, &rename("/")).await;
    assert!(holds(&ada, "location.pathname === '/'").await);
    app.shows(&ada, &rename("https://example.com/")).await;
    assert!(holds(&ada, "location.pathname === '/'").await);
    let told = ada.console_messages().await.join("\n");
    assert!(told.contains("cannot lead to another site"), "{told}");
    assert!(holds(&ada, "!events.some(([name]) => name === 'moved')").await);

    let lead = "<div hx-swap-oob=\"innerHTML:#content\" data-bw-url=\"/away/\">\
        <p bw-at=away>away</p></div>";
    app.shows(&ada, lead).await;
    assert!(holds(&ada, "location.pathname === '/away/' && scrollY === 0").await);
    assert!(holds(&ada, "history.length === length_ + 1").await);
    let url = value(&ada, "location.href").await;
    assert_eq!(hears(&ada, "moved").await, json!(["document", { "url": url }]));

    // The server has led the page there; the page itself goes back.
    ada.goes_back().await;
    comes_true(&ada, "content.textContent === 'home'").await;
    assert_eq!(app.connections.next().await, "/live?dialect=htmx&at=home&hello=1");
    ada.goes_forward().await;
    comes_true(&ada, "content.textContent === 'away'").await;
    assert_eq!(app.connections.next().await, "/live?dialect=htmx&at=away&hello=1");

    // In a page without `bw-at` an address is always another page.
    app.page("/", Content::Of("<main id=main bw-connect=/live></main>".to_owned()));
    ada.visit("/").await;
    ada.is_connected().await;
    assert_eq!(app.connections.next().await, "/live?dialect=htmx&at=%2F&hello=1");
    ada.run_script("window.length_ = history.length", &[]).await;
    app.shows(&ada, &rename("/another/")).await;
    assert!(holds(&ada, "location.pathname === '/another/'").await);
    assert!(holds(&ada, "history.length === length_ + 1").await);
}

#[tokio::test]
async fn a_frame_loads_the_page_again_or_another_page_of_the_site() {
    let (ada, app) = open_page(Content::Of(body(""))).await;
    app.page("/next/", Content::Of("next".to_owned()));
    let redirect =
        |url: &str| format!("<i hx-swap-oob=\"none:body\" data-bw-redirect=\"{url}\"></i>");
    app.shows(&ada, &redirect("https://example.com/")).await;
    let told = ada.console_messages().await.join("\n");
    assert!(told.contains("cannot lead to another site"), "{told}");
    ada.marks_page().await;
    let group = app.bellwire.layer().group(PAGES.of(1));
    group.text("<i hx-swap-oob=\"none:body\" data-bw-reload></i>");
    comes_true(&ada, "!window.markOfTheStory && location.pathname === '/'").await;
    ada.is_connected().await;
    group.text(redirect("/next/"));
    comes_true(&ada, "location.pathname === '/next/'").await;
}

#[tokio::test]
async fn unmodified_htmx_ignores_what_only_bellwire_js_applies() {
    let plain = "<!doctype html><title>Plain</title><link rel=icon href='data:,'>
        <script type=module src=/static/htmx.js></script>
        <p id=one></p><input id=field><button hx-get=/frame hx-swap=none>Load</button>";
    let (browsers, app) = open(Content::Plain(plain.to_owned())).await;
    let frame = "<div hx-swap-oob=\"none:body\" data-bw-hello=1 data-bw-person=ada></div>
        <div hx-swap-oob=\"none:body\" data-bw-answer=1></div>
        <div hx-swap-oob=\"none:body\" data-bw-event=ring></div>
        <div hx-swap-oob=\"none:body\" data-bw-redirect=/next/></div>
        <div hx-swap-oob=\"none:body\" data-bw-reload></div>
        <p hx-swap-oob=\"innerHTML:#one\" data-bw-url=/next/ data-bw-title=Next data-bw-how=morph
          data-bw-keep-last=0 data-bw-focus=\"#field\">placed</p>";
    app.page("/frame", Content::Plain(frame.to_owned()));
    let ada = browsers.person("Ada").await;
    ada.visit("/").await;
    ada.marks_page().await;
    ada.run_script("document.addEventListener('ring', () => (window.rung = true))", &[]).await;
    ada.presses("button").await;
    ada.reads("#one", "placed").await;
    assert!(holds(&ada, "document.title === 'Plain' && location.pathname === '/'").await);
    assert!(holds(&ada, "!window.rung && document.body.children.length === 3").await);
    assert!(holds(&ada, "document.activeElement.id !== 'field'").await);
    ada.did_not_reload().await;
}
