//! Laps and tasks: growing lists, and the windows that receive them.

use bellwire_testkit::{Client, TestDatabase, Window, apply, on_databases};
use serde_json::{Value, json};

use crate::support::{NASTY, assert_refused, open_with_tasks, playground, playground_on};

fn lap() -> Value {
    json!({"action": "Add lap", "data": {}})
}

fn task(text: &str) -> Value {
    json!({"action": "Add task", "data": {"task": text}})
}

#[tokio::test]
async fn a_lap_is_appended_for_its_sender_and_laps_are_limited() {
    let site = playground().await;
    for path in ["/ws/laps/", "/ws/example/"] {
        let mut ada = Window::open(&site.client(), path).await;
        let mut ben = Window::open(&site.client(), path).await;
        for _ in 0..100 {
            let answer = ada.answer(&lap()).await;
            assert_eq!(
                (&answer["selector"], &answer["append"]),
                (&json!("#laps"), &json!(true)),
                "{answer}"
            );
            let html = answer["html"].as_str().expect("HTML");
            assert!(html.starts_with("<li") && html.matches("<li").count() == 1, "{html}");
        }
        assert_refused(&ada.answer(&lap()).await, None);
        assert_eq!(ben.answer(&lap()).await["append"], true, "Ben receives his own laps only");
        assert_refused(&ben.answer(&json!({"action": "Add laps"})).await, Some("action"));
    }
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn a_task_reaches_every_window_of_its_visitor_only_and_is_kept(database: TestDatabase) {
    let site = playground_on(&database).await;
    let (mut ada, mut ben) = (site.client(), site.client());
    ada.get("/todo/").await;
    ben.get("/pages/").await;
    let mut first = open_with_tasks(&ada, "/ws/todo/").await;
    let mut second = open_with_tasks(&ada, "/ws/example/").await;
    let mut bens = open_with_tasks(&ben, "/ws/example/").await;
    let answer = first.answer(&task(NASTY)).await;
    assert_eq!(
        (&answer["selector"], &answer["append"]),
        (&json!("#todo"), &json!(true)),
        "{answer}"
    );
    let html = answer["html"].as_str().expect("HTML");
    assert!(html.contains("&#60;script&#62;") && !html.contains("<script>"), "{html}");
    assert_eq!(second.json().await, answer, "the other window");
    let own = bens.answer(&task("Ben's own")).await;
    assert!(own["html"].as_str().expect("HTML").contains("Ben&#39;s own"), "{own}");

    assert_tasks(&mut ada, &["&#60;script&#62;"]).await;
    assert_tasks(&mut ben, &["Ben&#39;s own"]).await;
    let site = site.restart(vec![bellwire_playground::app()]).await;
    assert_tasks(&mut ada, &["&#60;script&#62;"]).await;
    site.stop().await;
}

async fn assert_tasks(browser: &mut Client, tasks: &[&str]) {
    for path in ["/todo/", "/pages/"] {
        let page = browser.get(path).await.text;
        assert_eq!(page.matches("<li class=\"task\"").count(), tasks.len(), "{page}");
        for task in tasks {
            assert!(page.contains(task), "{task} on {path}");
        }
    }
}

/// The position of the list in a page, as the page sends it when it connects.
async fn position(client: &mut Client) -> String {
    let page = client.get("/todo/").await.text;
    let attribute = |name: &str| page.split(&format!(" {name}=\"")).nth(1)?.split('"').next();
    let position = attribute("data-feed").zip(attribute("data-seq"));
    position.map(|(feed, seq)| format!("{feed}:{seq}")).expect("a position")
}

#[apply(on_databases)]
#[tokio::test]
async fn a_page_that_returns_receives_the_tasks_that_it_missed(database: TestDatabase) {
    let site = playground_on(&database).await;
    let mut ada = site.client();
    ada.get("/todo/").await;
    let mut window = open_with_tasks(&ada, "/ws/todo/").await;
    window.answer(&task("seen")).await;
    let since = position(&mut ada).await;
    window.answer(&task("missed")).await;
    let open = |client: &Client, since: &str| {
        let (client, path) = (client.clone(), format!("/ws/todo/?dialect=htmx&since={since}"));
        async move { Window::open(&client, &path).await }
    };
    let frame = open(&ada, &since).await.text().await;
    assert!(frame.contains("beforeend:#todo") && frame.contains(">missed<"), "{frame}");
    assert!(!frame.contains("seen"), "{frame}");

    // Without a position that this process knows, it receives the whole list.
    let site = site.restart(vec![bellwire_playground::app()]).await;
    let frame = open(&ada.at(&site), &since).await.text().await;
    assert!(frame.contains("innerHTML:#todo") && frame.contains("seen"), "{frame}");
    site.stop().await;
}

/// The numbers of the tasks in this HTML, in order.
fn numbers(html: &str) -> impl Iterator<Item = usize> {
    let ids = html.split("id=\"task--").skip(1).map(|rest| rest.split('"').next().expect("an id"));
    ids.map(|number| number.parse().expect("a number"))
}

fn html(frame: &Value) -> &str {
    frame["html"].as_str().unwrap_or_else(|| panic!("no HTML: {frame}"))
}

#[tokio::test]
async fn a_task_added_while_a_window_opens_or_changes_its_page_is_shown_once() {
    let site = playground().await;
    let mut ada = site.client();
    ada.get("/todo/").await;
    let mut adds = open_with_tasks(&ada, "/ws/todo/").await;
    let mut moves = open_with_tasks(&ada, "/ws/example/").await;
    for round in 1..=45 {
        let open = Window::open(&ada, "/ws/todo/?dialect=htmx");
        moves.ask(&json!({"action": "Change page", "data": {"page": "home"}})).await;
        let milk = task("milk");
        let (mut opens, milk) = tokio::join!(open, adds.answer(&milk));
        assert_eq!(milk["append"], true);
        adds.answer(&task("bread")).await;
        let all: Vec<usize> = (1..=2 * round).collect();

        let mut shown = Vec::new();
        while shown.last() != all.last() {
            shown.extend(numbers(&opens.text().await));
        }
        assert_eq!(shown, all, "a window that opens");

        let (mut shown, mut moved) = (Vec::new(), false);
        while !moved || shown.last() != all.last() {
            let frame = moves.json().await;
            if frame["selector"] == "#main" {
                shown.clear();
                moved = true;
            }
            shown.extend(numbers(html(&frame)));
        }
        assert_eq!(shown, all, "a window that changes its page");
    }
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn tasks_added_concurrently_arrive_in_the_stored_order(database: TestDatabase) {
    let site = playground_on(&database).await;
    let mut ada = site.client();
    ada.get("/todo/").await;
    let mut first = open_with_tasks(&ada, "/ws/todo/").await;
    let mut second = open_with_tasks(&ada, "/ws/example/").await;
    let mut third = open_with_tasks(&ada, "/ws/todo/").await;
    for number in 0..20 {
        first.ask(&task(&format!("first {number}"))).await;
        second.ask(&task(&format!("second {number}"))).await;
    }
    let mut list = String::new();
    for number in 1..=40 {
        let frame = third.json().await;
        assert_eq!(numbers(html(&frame)).collect::<Vec<_>>(), [number], "{frame}");
        list.push_str(html(&frame));
    }
    let page = ada.get("/todo/").await.text;
    assert!(page.contains(list.trim()), "{list} in {page}");
    site.stop().await;
}

#[tokio::test]
async fn invalid_tasks_are_reported_beside_the_field() {
    let site = playground().await;
    let mut ada = site.client();
    ada.get("/todo/").await;
    let mut window = open_with_tasks(&ada, "/ws/todo/").await;
    for wrong in
        ["", "  ", "\0", "\u{7}", "\u{200b}", "\u{2060} \u{202e}", "\u{200d}", &"x".repeat(201)]
    {
        assert_refused(&window.answer(&task(wrong)).await, Some("task"));
    }
    assert_refused(
        &window.answer(&json!({"action": "Add task", "data": {"task": 5}})).await,
        Some("task"),
    );
    assert_refused(&window.answer(&json!({"action": "Add task", "data": {}})).await, Some("task"));
    let mut stranger = Window::open(&site.client(), "/ws/todo/").await;
    assert_refused(&stranger.answer(&task("for nobody")).await, None);
    assert_eq!(
        window.answer(&task(" h\0i\u{202e} ")).await["append"],
        true,
        "invisible characters are removed"
    );
    let page = ada.get("/todo/").await.text;
    assert!(page.contains(">hi</li>"), "{page}");
    site.stop().await;
}

#[tokio::test]
async fn tasks_are_limited_per_visitor_and_per_address_and_minute() {
    let site = playground().await;
    let mut ada = site.client();
    ada.get("/todo/").await;
    let mut window = open_with_tasks(&ada, "/ws/todo/").await;
    for number in 0..100 {
        assert_eq!(window.answer(&task(&number.to_string())).await["append"], true, "{number}");
    }
    let full = window.answer(&task("one more")).await;
    assert!(
        full["error"].as_str().expect("an error").contains("A list has at most 100 tasks."),
        "{full}"
    );
    let mut other = site.client();
    other.get("/todo/").await;
    let mut window = open_with_tasks(&other, "/ws/todo/").await;
    let mut last = Value::Null;
    for number in 0..20 {
        last = window.answer(&task(&number.to_string())).await;
    }
    assert!(last["error"].as_str().expect("an error").contains("Too many requests"), "{last}");
    site.stop().await;
}

#[tokio::test]
async fn tasks_can_be_added_without_javascript() {
    let site = playground().await;
    let mut ada = site.client();
    ada.get("/todo/").await;
    let added = ada.post("/todo/", &[("task", "milk <b>")]).await;
    assert_eq!((added.status, added.location()), (303, "/todo/"));
    assert!(ada.get("/todo/").await.text.contains("milk &#60;b&#62;</li>"));
    let long = "x".repeat(201);
    let refused = ada.post("/todo/", &[("task", &long)]).await;
    assert_eq!(refused.status, 422);
    assert!(
        refused.text.contains(&format!("value=\"{long}\"")) && refused.text.contains("at most 200")
    );
    assert_eq!(
        site.client().post("/todo/", &[("task", "x")]).await.status,
        422,
        "without a session the task is rejected"
    );
    site.stop().await;
}
