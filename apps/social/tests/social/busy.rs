//! What a busy list costs, counted.

use bellwire_testkit::{Log, TestDatabase, apply, on_databases};
use serde_json::json;

use crate::support::{add, ask, client, filled, hear_list, social, texts};

/// Half of them look at the first page, half at the second.
const WINDOWS: usize = 200;

// One thread, so that the log of this thread is the log of everything.
#[apply(on_databases)]
#[tokio::test(flavor = "current_thread")]
async fn a_page_is_rendered_once_however_many_look_at_it(database: TestDatabase) {
    let site = social(&database).await;
    filled(&site, 7).await;
    let log = Log::listen("bellwire_social=trace");
    let renderings = || log.text().matches("Rendered a page").count();
    let mut windows = Vec::with_capacity(WINDOWS);
    for number in 0..WINDOWS {
        let mut window = client(&site).await;
        if number % 2 == 1 {
            window.send_json(&ask("list messages", json!({"page": 2}))).await;
            hear_list(&mut window).await;
        }
        windows.push(window);
    }
    assert_eq!(renderings(), 2, "whoever comes while nothing changes finds both pages");
    windows[0].send_json(&add("Ada", "to everyone")).await;
    for (number, window) in windows.iter_mut().enumerate() {
        let seen = texts(&hear_list(window).await);
        let first = if number % 2 == 0 { "to everyone" } else { "m3" };
        assert_eq!(seen.first().map(String::as_str), Some(first));
        window.receive_nothing().await;
    }
    assert_eq!(renderings(), 4, "each page once more");
    drop(windows);
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test(flavor = "current_thread")]
async fn many_changes_in_a_moment_are_shown_together(database: TestDatabase) {
    let site = social(&database).await;
    let mut reader = client(&site).await;
    let mut writers = Vec::new();
    for _ in 0..50 {
        writers.push(client(&site).await);
    }
    let before = site.state().bellwire().layer().counts().sends;
    for (number, writer) in writers.iter_mut().enumerate() {
        writer.send_json(&add("Ada", &format!("m{number}"))).await;
    }
    let mut lists = 1;
    while !is_complete(&hear_list(&mut reader).await) {
        lists += 1;
    }
    reader.receive_nothing().await;
    let told = site.state().bellwire().layer().counts().sends - before;
    assert!(lists <= told && told < 50, "{lists} lists of {told} tellings for 50 changes");
    drop(writers);
    site.stop().await;
}

/// Fifty messages are ten pages.
fn is_complete(html: &str) -> bool {
    html.contains("Page 1 of 10")
}
