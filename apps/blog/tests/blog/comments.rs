//! Comments: seen at once by everyone who reads the article and by nobody else, and none is lost.

use std::time::Duration;

use bellwire_blog::models::Comment;
use bellwire_site::{DbError, Tx};
use bellwire_testkit::{TestDatabase, apply, on_databases};
use sea_orm::{ConnectionTrait, DbBackend, Statement};
use serde_json::{Value, json};

use crate::support::{ask, blog, htmx_window, publish, reader, refused, said, say, staff, window};

#[apply(on_databases)]
#[tokio::test]
async fn a_comment_reaches_everyone_who_reads_the_article_and_nobody_else(database: TestDatabase) {
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
    one.send_json(&say(&tea, "Ben <b>", "**Lovely** <script>")).await;
    for reader in [&mut one, &mut two] {
        let frame: Value = reader.receive_json().await;
        assert_eq!(
            (&frame["selector"], &frame["append"]),
            (&json!("#list-of-comments"), &json!(true))
        );
        assert_eq!((&frame["feed"], &frame["seq"]), (&json!("blog.article.1"), &json!(1)));
        let html = frame["html"].as_str().unwrap();
        assert_eq!(said(html), ["<strong>Lovely</strong> &lt;script&gt;"]);
        assert!(html.contains("Ben &#60;b&#62;") && !html.contains("Remove"), "{html}");
        reader.receive_nothing().await;
    }
    for outsider in &mut outsiders {
        outsider.receive_nothing().await;
    }
    assert_eq!(
        said(&site.client().get(&tea.path()).await.text),
        ["<strong>Lovely</strong> &lt;script&gt;"]
    );
    assert!(said(&site.client().get(&bread.path()).await.text).is_empty());
    assert!(site.client().get("/blog/").await.text.contains("1 comment"));
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn what_is_wrong_with_a_comment_is_said_and_disturbs_nobody(database: TestDatabase) {
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
        one.send_json(&say(&tea, author, content)).await;
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
    for (author, content, says) in
        [("", "Kept", "Please type your name."), ("Kept", "", "Write something first.")]
    {
        let answer =
            site.client().post(&tea.path(), &[("author", author), ("content", content)]).await;
        assert!(
            answer.status == 422 && answer.text.contains(says) && answer.text.contains("Kept"),
            "{}",
            answer.text
        );
    }
    assert_eq!(Comment::newest(site.state().db().read(), 1, None, 10).await.unwrap().len(), 0);
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn names_and_words_of_every_kind_are_kept_as_they_are(database: TestDatabase) {
    let site = blog(&database).await;
    let mut writer = staff(&site, "Ada").await;
    let tea = publish(&site, &mut writer, "Tea", "Text").await;
    let mut one = reader(&site, &tea, 0).await;
    for (author, content) in
        [("👩‍🚀", "🎉"), ("يوسف", "مرحبا"), ("林雨桐", "你好"), ("a\u{0}b", "c\u{0}d")]
    {
        one.send_json(&say(&tea, author, content)).await;
        let frame: Value = one.receive_json().await;
        let html = frame["html"].as_str().unwrap();
        assert!(html.contains(&author.replace('\0', "")), "{html}");
        assert_eq!(said(html), [content.replace('\0', "")]);
    }
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn who_was_away_gets_what_they_missed_and_nothing_twice(database: TestDatabase) {
    let site = blog(&database).await;
    let mut writer = staff(&site, "Ada").await;
    let tea = publish(&site, &mut writer, "Tea", "Text").await;
    let mut one = reader(&site, &tea, 0).await;
    for number in 1..=4 {
        one.send_json(&say(&tea, "Ben", &format!("Comment {number}"))).await;
        one.receive_text().await;
    }
    let mut back = reader(&site, &tea, 2).await;
    for number in [3, 4] {
        let frame: Value = back.receive_json().await;
        assert_eq!(said(frame["html"].as_str().unwrap()), [format!("Comment {number}")]);
    }
    back.receive_nothing().await;
    reader(&site, &tea, 4).await.receive_nothing().await;
    // Whoever says no number, or an impossible one, gets the list anew.
    for query in
        [format!("at={}", tea.path()), format!("at={}&since=blog.article.1:99", tea.path())]
    {
        let mut fresh = window(&site, None, &query).await;
        let frame: Value = fresh.receive_json().await;
        assert_eq!((frame.get("append"), &frame["seq"]), (None, &json!(4)));
        assert_eq!(said(frame["html"].as_str().unwrap()).len(), 4);
        one.receive_nothing().await;
    }
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn a_repeated_send_is_one_comment(database: TestDatabase) {
    let site = blog(&database).await;
    let mut writer = staff(&site, "Ada").await;
    let tea = publish(&site, &mut writer, "Tea", "Text").await;
    let (mut one, mut two) = (reader(&site, &tea, 0).await, reader(&site, &tea, 0).await);
    let mut ask = say(&tea, "Ben", "Once");
    ask["data"]["client_id"] = json!("abc");
    for _ in 0..20 {
        one.send_json(&ask).await;
        assert!(one.receive_text().await.contains("data-client-id=\\\"abc\\\""));
    }
    two.receive_text().await;
    two.receive_nothing().await;
    let fields = [("author", "Ben"), ("content", "Once"), ("client_id", "abc")];
    assert_eq!(
        site.client().post(&tea.path(), &fields).await.location(),
        "/blog/article/tea/#comment--1"
    );
    assert_eq!(said(&site.client().get(&tea.path()).await.text), ["Once"]);
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn comments_that_come_at_once_are_all_there_in_one_order_for_everyone(
    database: TestDatabase,
) {
    let site = blog(&database).await;
    let mut writer = staff(&site, "Ada").await;
    let tea = publish(&site, &mut writer, "Tea", "Text").await;
    let mut readers = Vec::new();
    for _ in 0..8 {
        readers.push(
            window(&site, Some(&writer), &format!("at={}&since=blog.article.1:0", tea.path()))
                .await,
        );
    }
    for (number, reader) in readers.iter_mut().enumerate() {
        reader.send_json(&say(&tea, "Ben", &format!("From {number}"))).await;
    }
    let mut heard = Vec::new();
    for reader in &mut readers {
        let mut all = Vec::new();
        for seq in 1..=8 {
            let frame: Value = reader.receive_json().await;
            assert_eq!(frame["seq"], seq);
            all.extend(said(frame["html"].as_str().unwrap()));
        }
        heard.push(all);
    }
    assert!(heard.iter().all(|all| *all == heard[0]), "{heard:?}");
    assert_eq!(said(&site.client().get(&tea.path()).await.text), heard[0]);
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn strangers_write_so_much_and_no_more_and_those_who_are_signed_in_go_on(
    database: TestDatabase,
) {
    let site = blog(&database).await;
    let mut writer = staff(&site, "Ada").await;
    let tea = publish(&site, &mut writer, "Tea", "Text").await;
    let mut one = reader(&site, &tea, 0).await;
    let mut first = say(&tea, "Ben", "First");
    first["data"]["client_id"] = json!("first");
    for number in 0..10 {
        one.send_json(&if number == 0 { first.clone() } else { say(&tea, "Ben", "More") }).await;
        one.receive_text().await;
    }
    assert!(refused(&mut one, &say(&tea, "Ben", "Too much")).await.contains("too often"));
    one.send_json(&first).await;
    assert!(one.receive_text().await.contains("first"), "what was written is no second comment");
    let mut ada =
        window(&site, Some(&writer), &format!("at={}&since=blog.article.1:10", tea.path())).await;
    ada.send_json(&say(&tea, "Ada", "Mine")).await;
    ada.receive_text().await;
    one.receive_text().await;
    site.state().clock().advance(Duration::from_secs(300));
    ask::<1>(&mut one, &say(&tea, "Ben", "Later")).await;

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
async fn whoever_is_signed_in_writes_more_than_anybody_types_and_then_waits(
    database: TestDatabase,
) {
    let site = blog(&database).await;
    let mut writer = staff(&site, "Ada").await;
    let tea = publish(&site, &mut writer, "Tea", "Text").await;
    let (mut ben, eve) = (site.person("Ben").await, site.person("Eve").await);
    let query = format!("at={}&since=blog.article.1:0", tea.path());
    let mut his = window(&site, Some(&ben), &query).await;
    for _ in 0..100 {
        ask::<1>(&mut his, &say(&tea, "Ben", "More")).await;
    }
    assert!(refused(&mut his, &say(&tea, "Ben", "Too much")).await.contains("too often"));
    let answer = ben.post(&tea.path(), &[("author", "Ben"), ("content", "kept")]).await;
    assert_eq!((answer.status, answer.text.contains("kept")), (429, true));
    let mut hers =
        window(&site, Some(&eve), &format!("at={}&since=blog.article.1:100", tea.path())).await;
    ask::<1>(&mut hers, &say(&tea, "Eve", "One person waits, others do not")).await;
    his.receive_text().await;
    site.state().clock().advance(Duration::from_secs(300));
    ask::<1>(&mut his, &say(&tea, "Ben", "Later")).await;
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn a_client_that_never_said_where_it_is_says_it_by_its_first_comment(database: TestDatabase) {
    let site = blog(&database).await;
    let mut writer = staff(&site, "Ada").await;
    let tea = publish(&site, &mut writer, "Tea", "Text").await;
    let bread = publish(&site, &mut writer, "Bread", "Text").await;
    let mut plain = window(&site, None, "").await;
    let [frame] = ask(&mut plain, &say(&tea, "Ben", "Here")).await;
    assert_eq!(frame["selector"], "#list-of-comments");
    // What is said elsewhere is answered, and is not shown here.
    let [frame] = ask(&mut plain, &say(&bread, "Ben", "There")).await;
    assert!(
        frame["selector"] == "#main" && frame["html"].as_str().unwrap().contains("hidden"),
        "{frame}"
    );
    assert_eq!(said(&site.client().get(&bread.path()).await.text), ["There"]);
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn a_client_whose_first_comment_is_refused_hears_nothing_of_the_article(
    database: TestDatabase,
) {
    let site = blog(&database).await;
    let mut writer = staff(&site, "Ada").await;
    let tea = publish(&site, &mut writer, "Tea", "Text").await;
    let (mut plain, mut one) = (window(&site, None, "").await, reader(&site, &tea, 0).await);
    refused(&mut plain, &say(&tea, "", "No name")).await;
    ask::<1>(&mut one, &say(&tea, "Ben", "For readers")).await;
    plain.receive_nothing().await;
    // The next one is accepted, and from there on it reads.
    let [frame] = ask(&mut plain, &say(&tea, "Eve", "Here")).await;
    assert_eq!(
        (&frame["seq"], said(frame["html"].as_str().unwrap())),
        (&json!(2), vec!["Here".to_owned()])
    );
    one.send_json(&say(&tea, "Ben", "Welcome")).await;
    assert_eq!(plain.receive_json::<Value>().await["seq"], 3);
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn in_our_own_page_an_error_stands_beside_its_field(database: TestDatabase) {
    let site = blog(&database).await;
    let mut writer = staff(&site, "Ada").await;
    let tea = publish(&site, &mut writer, "Tea", "Text").await;
    let query = format!("at={}&since=blog.article.1:0", tea.path());
    let mut one = htmx_window(&site, None, &query).await;
    one.send_json(&say(&tea, "", "Text")).await;
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
async fn a_long_conversation_is_read_from_its_end_and_who_missed_too_much_gets_it_anew(
    database: TestDatabase,
) {
    let site = blog(&database).await;
    let mut writer = staff(&site, "Ada").await;
    let tea = publish(&site, &mut writer, "Tea", "Text").await;
    // Past the actions, whose pace is for people.
    let many = async move |tx: Tx| {
        for seq in 1..=203_i64 {
            let sql = "INSERT INTO blog_comments (article_id, author, content, seq, changed_seq, created_at) \
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
    let shown = said(&page);
    assert_eq!((shown.len(), &*shown[0], &*shown[199]), (200, "Comment 4", "Comment 203"));
    assert!(page.contains("href=\"/blog/article/tea/?before=4#comments\""));
    let older = site.client().get(&format!("{}?before=4", tea.path())).await.text;
    assert_eq!(said(&older), ["Comment 1", "Comment 2", "Comment 3"]);
    assert!(
        !older.contains("bw-connect") && !older.contains("data-feed"),
        "what is old stands still"
    );
    for bad in ["x", "99999999999999999999"] {
        assert_eq!(site.client().get(&format!("{}?before={bad}", tea.path())).await.status, 404);
    }
    let mut far = reader(&site, &tea, 2).await;
    let frame: Value = far.receive_json().await;
    assert_eq!((frame.get("append"), said(frame["html"].as_str().unwrap()).len()), (None, 200));
    far.receive_nothing().await;
    let mut near = reader(&site, &tea, 202).await;
    assert_eq!(near.receive_json::<Value>().await["append"], true);
    near.receive_nothing().await;
    site.stop().await;
}
