//! The cost of a busy list: renderings and notifications are counted.

use bellwire_testkit::{Log, TestDatabase, apply, on_databases};
use serde_json::json;

use crate::support::{action_frame, add, client, next_list, social, texts, with_messages};

/// Half of the windows show the first page, half the second.
const WINDOWS: usize = 200;

// A single thread, so that its log contains everything.
#[apply(on_databases)]
#[tokio::test(flavor = "current_thread")]
async fn a_page_is_rendered_once_for_any_number_of_viewers(database: TestDatabase) {
    let site = social(&database).await;
    with_messages(&site, 7).await;
    let log = Log::listen("bellwire_social=trace");
    let renderings = || log.text().matches("Rendered a page").count();
    let mut windows = Vec::with_capacity(WINDOWS);
    for number in 0..WINDOWS {
        let mut window = client(&site).await;
        if number % 2 == 1 {
            window.send_json(&action_frame("list messages", json!({"page": 2}))).await;
            next_list(&mut window).await;
        }
        windows.push(window);
    }
    assert_eq!(renderings(), 2, "both pages are cached while nothing changes");
    windows[0].send_json(&add("Ada", "to everyone")).await;
    for (number, window) in windows.iter_mut().enumerate() {
        let seen = texts(&next_list(window).await);
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
async fn many_changes_in_a_short_time_are_sent_together(database: TestDatabase) {
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
    while !is_complete(&next_list(&mut reader).await) {
        lists += 1;
    }
    reader.receive_nothing().await;
    let sends = site.state().bellwire().layer().counts().sends - before;
    assert!(lists <= sends && sends < 50, "{lists} lists for {sends} notifications of 50 changes");
    drop(writers);
    site.stop().await;
}

/// Fifty messages are ten pages.
fn is_complete(html: &str) -> bool {
    html.contains("Page 1 of 10")
}
