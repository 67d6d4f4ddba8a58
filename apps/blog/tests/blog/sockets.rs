//! A plain JSON client on a real socket.

use bellwire_testkit::{TestDatabase, Window, apply, on_databases};
use serde_json::json;

use crate::support::{blog, change_to, comment, publish, staff};

#[apply(on_databases)]
#[tokio::test]
async fn anonymous_clients_read_and_comment_over_a_plain_socket(database: TestDatabase) {
    let site = blog(&database).await;
    let mut writer = staff(&site, "Ada").await;
    let tea = publish(&site, &mut writer, "Tea", "Text").await;
    let (mut one, mut two) = (
        Window::open(&site.client(), "/ws/blog/").await,
        Window::open(&site.client(), "/ws/blog/").await,
    );
    for socket in [&mut one, &mut two] {
        socket.ask(&change_to(&tea)).await;
        assert_eq!(socket.json().await["selector"], "#nav");
        let main = socket.json().await;
        assert_eq!(
            (&main["selector"], &main["url"]),
            (&json!("#main"), &json!("/blog/article/tea/"))
        );
    }
    one.say("nonsense").await;
    assert!(one.json().await["error"].is_string());
    one.ask(&comment(&tea, "Ben", "Hello")).await;
    for socket in [&mut one, &mut two] {
        let frame = socket.json().await;
        assert_eq!(
            (&frame["selector"], &frame["append"]),
            (&json!("#list-of-comments"), &json!(true))
        );
    }
    // A form of unmodified htmx has no action; its fields are sufficient.
    let form =
        json!({"author": "Eve", "content": "Hi", "post_id": tea.row.id.to_string(), "HEADERS": {}});
    two.ask(&form).await;
    assert_eq!(one.json().await["seq"], 2);
    site.stop().await;
}
