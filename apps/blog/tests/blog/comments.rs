//! Comments: delivered live to the readers of the article only, without loss.

use std::time::Duration;

use bellwire_blog::models::Comment;
use bellwire_site::{DbError, Tx};
use bellwire_testkit::{TestDatabase, apply, on_databases};
use sea_orm::{ConnectionTrait, DbBackend, Statement};
use serde_json::{Value, json};

use crate::support::{
    blog, comment, comment_texts, htmx_window, publish, reader, refused, send_action, showing,
    staff, window,
};

#[apply(on_databases)]
#[tokio::test]
async fn a_comment_reaches_every_reader_of_the_article_and_nobody_else(database: TestDatabase) {
    let site = blog(&database).await;
    let mut writer = staff(&site, "Ada").await;
    let tea = publish(&site, &mut writer, "Tea", "Text").await;
    let bread = publish(&site, &mut writer, "Bread", "Text").await;
    let (mut one, mut two) = (reader(&site, &tea, 0).await, reader(&site, &tea, 0).await);
    let mut outsiders = [
        reader(&site, &bread, 0).await,
        window(&site, None, "at=/blog/").await,
        window(&site, None, "").await,
    ];
    one.send_json(&comment(&tea, "Ben <b>", "**Lovely** <script>")).await;
    for reader in [&mut one, &mut two] {
        let frame: Value = reader.receive_json().await;
        assert_eq!(
            (&frame["selector"], &frame["append"]),
            (&json!("#list-of-comments"), &json!(true))
        );
        assert_eq!((&frame["feed"], &frame["seq"]), (&json!("blog.article.1"), &json!(1)));
        let html = frame["html"].as_str().unwrap();
        assert_eq!(comment_texts(html), ["<strong>Lovely</strong> &lt;script&gt;"]);
        assert!(html.contains("Ben &#60;b&#62;") && !html.contains("Remove"), "{html}");
        reader.receive_nothing().await;
    }
    for outsider in &mut outsiders {
        outsider.receive_nothing().await;
    }
    assert_eq!(
        comment_texts(&site.client().get(&tea.path()).await.text),
        ["<strong>Lovely</strong> &lt;script&gt;"]
    );
    assert!(comment_texts(&site.client().get(&bread.path()).await.text).is_empty());
    assert!(site.client().get("/blog/").await.text.contains("1 comment"));
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn invalid_comments_are_answered_to_their_sender_only(database: TestDatabase) {
    let site = blog(&database).await;
    let mut writer = staff(&site, "Ada").await;
    let tea = publish(&site, &mut writer, "Tea", "Text").await;
    let (mut one, mut two) = (reader(&site, &tea, 0).await, reader(&site, &tea, 0).await);
    let long = "x".repeat(4_001);
    for (author, content, field) in [
        ("", "Text", "author"),
        (" \u{200b}", "Text", "author"),
        ("\u{0}", "Text", "author"),
        (&long[..101], "Text", "author"),
        ("Ben", "", "content"),
        ("Ben", "\u{0}\n", "content"),
        ("Ben", &long, "content"),
    ] {
        one.send_json(&comment(&tea, author, content)).await;
        let frame: Value = one.receive_json().await;
        assert_eq!(frame["field"], field, "{frame}");
        assert!(frame["error"].as_str().is_some_and(|error| error.ends_with('.')), "{frame}");
    }
    for bad in [
        json!({"author": "Ben", "content": "Text"}),
        json!({"author": "Ben", "post_id": 1}),
        json!({"content": "Text", "post_id": 1}),
        json!({"author": "Ben", "content": "Text", "post_id": "x"}),
        json!({"author": "Ben", "content": "Text", "post_id": 99}),
        json!({"author": 5, "content": "Text", "post_id": 1}),
        json!({"author": "Ben", "content": ["Text"], "post_id": 1}),
        json!({"author": "Ben", "content": "Text", "post_id": 1, "client_id": "a b"}),
    ] {
        refused(&mut one, &json!({"action": "Add comment", "data": bad})).await;
    }
    two.receive_nothing().await;
    for (author, content, error) in
        [("", "Kept", "Please type your name."), ("Kept", "", "Write something first.")]
    {
        let answer =
            site.client().post(&tea.path(), &[("author", author), ("content", content)]).await;
        assert!(
            answer.status == 422 && answer.text.contains(error) && answer.text.contains("Kept"),
            "{}",
            answer.text
        );
    }
    assert_eq!(Comment::newest(site.state().db().read(), 1, None, 10).await.unwrap().len(), 0);
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn names_and_texts_in_any_script_are_kept(database: TestDatabase) {
    let site = blog(&database).await;
    let mut writer = staff(&site, "Ada").await;
    let tea = publish(&site, &mut writer, "Tea", "Text").await;
    let mut one = reader(&site, &tea, 0).await;
    for (author, content) in
        [("👩‍🚀", "🎉"), ("يوسف", "مرحبا"), ("林雨桐", "你好"), ("a\u{0}b", "c\u{0}d")]
    {
        one.send_json(&comment(&tea, author, content)).await;
        let frame: Value = one.receive_json().await;
        let html = frame["html"].as_str().unwrap();
        assert!(html.contains(&author.replace('\0', "")), "{html}");
        assert_eq!(comment_texts(html), [content.replace('\0', "")]);
    }
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn a_reconnecting_page_receives_each_missed_comment_once(database: TestDatabase) {
    let site = blog(&database).await;
    let mut writer = staff(&site, "Ada").await;
    let tea = publish(&site, &mut writer, "Tea", "Text").await;
    let mut one = reader(&site, &tea, 0).await;
    for number in 1..=4 {
        one.send_json(&comment(&tea, "Ben", &format!("Comment {number}"))).await;
        one.receive_text().await;
    }
    let mut back = reader(&site, &tea, 2).await;
    for number in [3, 4] {
        let frame: Value = back.receive_json().await;
        assert_eq!(comment_texts(frame["html"].as_str().unwrap()), [format!("Comment {number}")]);
    }
    back.receive_nothing().await;
    reader(&site, &tea, 4).await.receive_nothing().await;
    // Without a position, or with an impossible one, a page receives the whole list.
    let at = format!("at={}", tea.path());
    for query in [
        format!("{at}&since=blog.article.1:2"),
        format!("{at}&since=blog.article.1:123abc.2"),
        showing(&site, &tea, 99).await,
        at,
    ] {
        let mut fresh = window(&site, None, &query).await;
        let frame: Value = fresh.receive_json().await;
        assert_eq!((frame.get("append"), &frame["seq"]), (None, &json!(4)));
        assert_eq!(comment_texts(frame["html"].as_str().unwrap()).len(), 4);
        one.receive_nothing().await;
    }
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn a_page_from_before_a_restart_receives_what_it_missed_and_nothing_else(
    database: TestDatabase,
) {
    let site = blog(&database).await;
    let mut writer = staff(&site, "Ada").await;
    let tea = publish(&site, &mut writer, "Tea", "Text").await;
    let fields = |content| [("author", "Ben"), ("content", content)];
    site.client().post(&tea.path(), &fields("Seen")).await;
    let page = site.client().get(&tea.path()).await.text;
    let seq = page.split("data-seq=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let site = site.restart(vec![bellwire_blog::app()]).await;
    site.client().post(&tea.path(), &fields("Missed")).await;
    let query = |seq: &str| format!("at={}&since=blog.article.1:{seq}", tea.path());
    let mut back = window(&site, None, &query(&seq)).await;
    let frame: Value = back.receive_json().await;
    assert_eq!(frame["append"], true);
    assert_eq!(comment_texts(frame["html"].as_str().unwrap()), ["Missed"]);
    back.receive_nothing().await;
    // A comment of that number was never written before the restart: its page is replaced.
    let lost = seq.replace(".1", ".2");
    let frame: Value = window(&site, None, &query(&lost)).await.receive_json().await;
    assert_eq!(frame.get("append"), None);
    assert_eq!(comment_texts(frame["html"].as_str().unwrap()), ["Seen", "Missed"]);
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn a_form_that_is_posted_by_script_is_answered_in_a_header(database: TestDatabase) {
    let site = blog(&database).await;
    let mut writer = staff(&site, "Ada").await;
    let tea = publish(&site, &mut writer, "Tea", "Text").await;
    let origin = site.state().public_url().as_str().to_owned();
    let headers = [("origin", &*origin), ("bellwire-request", "1")];
    for (author, status, answer) in [("Ben", 204, "ok"), ("", 422, "refused")] {
        let fields = [("author", author), ("content", "Hello")];
        let response = site.client().post_with(&tea.path(), &headers, &fields).await;
        assert_eq!((response.status, response.header("bellwire-answer")), (status, answer));
    }
    let removed = writer.post_with("/blog/comment/1/remove/", &headers, &[]).await;
    assert_eq!((removed.status, removed.header("bellwire-answer")), (204, "ok"));
    // The page of the form was made for a person who has signed out since.
    let headers = [&headers[..], &[("bellwire-person", "user.1")]].concat();
    let fields = [("author", "Ada"), ("content", "Hello")];
    let response = site.client().post_with(&tea.path(), &headers, &fields).await;
    assert_eq!((response.status, response.header("bellwire-answer")), (401, ""));
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn a_repeated_send_is_one_comment(database: TestDatabase) {
    let site = blog(&database).await;
    let mut writer = staff(&site, "Ada").await;
    let tea = publish(&site, &mut writer, "Tea", "Text").await;
    let (mut one, mut two) = (reader(&site, &tea, 0).await, reader(&site, &tea, 0).await);
    let mut action = comment(&tea, "Ben", "Once");
    action["data"]["client_id"] = json!("abc");
    for _ in 0..20 {
        one.send_json(&action).await;
    }
    let frame: Value = one.receive_json().await;
    assert_eq!(comment_texts(frame["html"].as_str().unwrap()), ["Once"]);
    for _ in 0..20 {
        assert_eq!(one.receive_json::<Value>().await, json!({"answer": "abc"}));
    }
    one.receive_nothing().await;
    assert!(!two.receive_text().await.contains("abc"), "only the sender is answered");
    two.receive_nothing().await;
    let fields = [("author", "Ben"), ("content", "Once"), ("client_id", "abc")];
    assert_eq!(
        site.client().post(&tea.path(), &fields).await.location(),
        "/blog/article/tea/#comment--1"
    );
    assert_eq!(comment_texts(&site.client().get(&tea.path()).await.text), ["Once"]);
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn concurrent_comments_arrive_in_the_same_order_for_everyone(database: TestDatabase) {
    let site = blog(&database).await;
    let mut writer = staff(&site, "Ada").await;
    let tea = publish(&site, &mut writer, "Tea", "Text").await;
    let query = showing(&site, &tea, 0).await;
    let mut readers = Vec::new();
    for _ in 0..8 {
        readers.push(window(&site, Some(&writer), &query).await);
    }
    for (number, reader) in readers.iter_mut().enumerate() {
        reader.send_json(&comment(&tea, "Ben", &format!("From {number}"))).await;
    }
    let mut received = Vec::new();
    for reader in &mut readers {
        let mut all = Vec::new();
        for seq in 1..=8 {
            let frame: Value = reader.receive_json().await;
            assert_eq!(frame["seq"], seq);
            all.extend(comment_texts(frame["html"].as_str().unwrap()));
        }
        received.push(all);
    }
    assert!(received.iter().all(|all| *all == received[0]), "{received:?}");
    assert_eq!(comment_texts(&site.client().get(&tea.path()).await.text), received[0]);
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn anonymous_comments_are_limited_per_address_and_signed_in_users_are_not_affected(
    database: TestDatabase,
) {
    let site = blog(&database).await;
    let mut writer = staff(&site, "Ada").await;
    let tea = publish(&site, &mut writer, "Tea", "Text").await;
    let mut one = reader(&site, &tea, 0).await;
    let mut first = comment(&tea, "Ben", "First");
    first["data"]["client_id"] = json!("first");
    send_action::<2>(&mut one, &first).await;
    for _ in 1..10 {
        send_action::<1>(&mut one, &comment(&tea, "Ben", "More")).await;
    }
    assert!(
        refused(&mut one, &comment(&tea, "Ben", "Too much")).await.contains("Too many requests")
    );
    let [answer] = send_action(&mut one, &first).await;
    assert_eq!(answer, json!({"answer": "first"}), "a repeated send is not limited");
    let mut ada = window(&site, Some(&writer), &showing(&site, &tea, 10).await).await;
    ada.send_json(&comment(&tea, "Ada", "Mine")).await;
    ada.receive_text().await;
    one.receive_text().await;
    site.state().clock().advance(Duration::from_secs(300));
    send_action::<1>(&mut one, &comment(&tea, "Ben", "Later")).await;

    let mut stranger = site.client();
    for _ in 0..10 {
        assert_eq!(
            stranger.post(&tea.path(), &[("author", "Eve"), ("content", "x")]).await.status,
            303
        );
    }
    let answer = stranger.post(&tea.path(), &[("author", "Eve"), ("content", "kept")]).await;
    assert_eq!((answer.status, answer.text.contains("kept")), (429, true));
    assert!(!answer.header("retry-after").is_empty());
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn signed_in_users_have_a_higher_limit_of_their_own(database: TestDatabase) {
    let site = blog(&database).await;
    let mut writer = staff(&site, "Ada").await;
    let tea = publish(&site, &mut writer, "Tea", "Text").await;
    let (mut ben, eve) = (site.person("Ben").await, site.person("Eve").await);
    let query = showing(&site, &tea, 0).await;
    let mut his = window(&site, Some(&ben), &query).await;
    for _ in 0..100 {
        send_action::<1>(&mut his, &comment(&tea, "Ben", "More")).await;
    }
    assert!(
        refused(&mut his, &comment(&tea, "Ben", "Too much")).await.contains("Too many requests")
    );
    let answer = ben.post(&tea.path(), &[("author", "Ben"), ("content", "kept")]).await;
    assert_eq!((answer.status, answer.text.contains("kept")), (429, true));
    let mut hers = window(&site, Some(&eve), &showing(&site, &tea, 100).await).await;
    send_action::<1>(&mut hers, &comment(&tea, "Eve", "One person waits, others do not")).await;
    his.receive_text().await;
    site.state().clock().advance(Duration::from_secs(300));
    send_action::<1>(&mut his, &comment(&tea, "Ben", "Later")).await;
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn the_first_comment_of_a_client_opens_the_article(database: TestDatabase) {
    let site = blog(&database).await;
    let mut writer = staff(&site, "Ada").await;
    let tea = publish(&site, &mut writer, "Tea", "Text").await;
    let bread = publish(&site, &mut writer, "Bread", "Text").await;
    let mut plain = window(&site, None, "").await;
    let [frame] = send_action(&mut plain, &comment(&tea, "Ben", "Here")).await;
    assert_eq!(frame["selector"], "#list-of-comments");
    // A comment on another article is answered, but not shown.
    let mut there = comment(&bread, "Ben", "There");
    there["data"]["client_id"] = json!("c-1");
    let [answer] = send_action(&mut plain, &there).await;
    assert_eq!(answer, json!({"answer": "c-1"}));
    assert_eq!(comment_texts(&site.client().get(&bread.path()).await.text), ["There"]);
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn a_refused_first_comment_does_not_open_the_article(database: TestDatabase) {
    let site = blog(&database).await;
    let mut writer = staff(&site, "Ada").await;
    let tea = publish(&site, &mut writer, "Tea", "Text").await;
    let (mut plain, mut one) = (window(&site, None, "").await, reader(&site, &tea, 0).await);
    refused(&mut plain, &comment(&tea, "", "No name")).await;
    send_action::<1>(&mut one, &comment(&tea, "Ben", "For readers")).await;
    plain.receive_nothing().await;
    // The next comment is accepted, and the client follows the article from then on.
    let [frame] = send_action(&mut plain, &comment(&tea, "Eve", "Here")).await;
    assert_eq!(
        (&frame["seq"], comment_texts(frame["html"].as_str().unwrap())),
        (&json!(2), vec!["Here".to_owned()])
    );
    one.send_json(&comment(&tea, "Ben", "Welcome")).await;
    assert_eq!(plain.receive_json::<Value>().await["seq"], 3);
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn our_own_page_shows_an_error_beside_its_field(database: TestDatabase) {
    let site = blog(&database).await;
    let mut writer = staff(&site, "Ada").await;
    let tea = publish(&site, &mut writer, "Tea", "Text").await;
    let query = showing(&site, &tea, 0).await;
    let mut one = htmx_window(&site, None, &query).await;
    one.send_json(&comment(&tea, "", "Text")).await;
    assert!(one.receive_text().await.contains("hx-swap-oob=\"innerHTML:#error--author\""));
    let page = site.client().get(&tea.path()).await.text;
    assert!(
        page.contains("aria-describedby=\"error--author\"")
            && page.contains("id=\"error--author\"")
    );
    let answer = site.client().post(&tea.path(), &[("author", ""), ("content", "Text")]).await;
    assert!(
        answer.text.contains("aria-invalid=\"true\" aria-describedby=\"error--author\""),
        "{}",
        answer.text
    );
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn a_page_shows_the_newest_comments_and_is_replaced_if_it_missed_too_many(
    database: TestDatabase,
) {
    let site = blog(&database).await;
    let mut writer = staff(&site, "Ada").await;
    let tea = publish(&site, &mut writer, "Tea", "Text").await;
    // Inserted directly, since the action is rate limited.
    let many = async move |tx: Tx| {
        for seq in 1..=203_i64 {
            let sql = "INSERT INTO blog_comments \
                       (article_id, author, content, seq, changed_seq, created_at) \
                       SELECT id, 'Ben', 'Comment ' || $1, $1, $1, created_at FROM blog_articles";
            let sql = if tx.get_database_backend() == DbBackend::Postgres {
                sql.replacen("|| $1", "|| $1::bigint::text", 1)
            } else {
                sql.to_owned()
            };
            tx.execute_raw(Statement::from_sql_and_values(
                tx.get_database_backend(),
                sql,
                [seq.into()],
            ))
            .await?;
        }
        tx.execute_unprepared("UPDATE blog_articles SET seq = 203").await?;
        Ok::<_, DbError>(())
    };
    site.state().db().write(many).await.unwrap();
    let page = site.client().get(&tea.path()).await.text;
    let shown = comment_texts(&page);
    assert_eq!((shown.len(), &*shown[0], &*shown[199]), (200, "Comment 4", "Comment 203"));
    assert!(page.contains("href=\"/blog/article/tea/?before=4#comments\""));
    let older = site.client().get(&format!("{}?before=4", tea.path())).await.text;
    assert_eq!(comment_texts(&older), ["Comment 1", "Comment 2", "Comment 3"]);
    assert!(
        !older.contains("bw-connect") && !older.contains("data-feed"),
        "pages of older comments are not live"
    );
    for bad in ["x", "99999999999999999999"] {
        assert_eq!(site.client().get(&format!("{}?before={bad}", tea.path())).await.status, 404);
    }
    let mut far = reader(&site, &tea, 2).await;
    let frame: Value = far.receive_json().await;
    assert_eq!(
        (frame.get("append"), comment_texts(frame["html"].as_str().unwrap()).len()),
        (None, 200)
    );
    far.receive_nothing().await;
    let mut near = reader(&site, &tea, 202).await;
    assert_eq!(near.receive_json::<Value>().await["append"], true);
    near.receive_nothing().await;
    site.stop().await;
}
