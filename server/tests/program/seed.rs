//! Tests of `bellwire seed`, which fills a site with sample data.

use bellwire_site::SiteSettings as _;
use bellwire_site::{DatabaseUrl, SiteState};
use bellwire_testkit::{TestDatabase, TestSite, apply, on_databases};
use sea_orm::{ConnectionTrait, DbErr, Statement};

use crate::support::{Finished, bellwire, folder};

const PASSWORD: &str = "a bell for everyone";

/// Runs `bellwire seed` on the database of a running site, in a separate process.
async fn seed(site: &TestSite, arguments: &'static [&str]) -> Finished {
    let url = match &site.state().settings().database {
        DatabaseUrl::Sqlite(file) => format!("sqlite:{}", file.display()),
        DatabaseUrl::Postgres(url) => url.clone(),
    };
    let folder = folder("seed");
    let mut program = bellwire(&folder);
    program.arg("seed").args(arguments).env("DATABASE_URL", url);
    let done = tokio::task::spawn_blocking(move || Finished::wait(program.spawn().unwrap()))
        .await
        .unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
    done
}

/// The rows of a query whose columns are all numbers.
async fn numbers<const N: usize>(site: &SiteState, sql: &str) -> Vec<[i64; N]> {
    let db = site.db().read();
    let rows =
        db.query_all_raw(Statement::from_string(db.get_database_backend(), sql)).await.unwrap();
    let of = |row: sea_orm::QueryResult| {
        let each: Result<Vec<i64>, DbErr> =
            (0..N).map(|column| row.try_get_by_index(column)).collect();
        each.unwrap().try_into().unwrap()
    };
    rows.into_iter().map(of).collect()
}

/// The counts of people, rooms, messages, memberships and mentions, and the sum of the rooms' feed
/// numbers.
const ALL: &str = "SELECT (SELECT COUNT(*) FROM users), (SELECT COUNT(*) FROM chat_rooms), (SELECT COUNT(*) FROM chat_messages), \
    (SELECT COUNT(*) FROM chat_memberships), (SELECT COUNT(*) FROM chat_mentions), (SELECT CAST(SUM(seq) AS BIGINT) FROM chat_rooms)";

#[test]
fn a_fresh_site_is_filled_and_the_first_visitor_still_becomes_the_administrator() {
    let folder = folder("fresh-seed");
    let run = |arguments: &[&str]| {
        let mut program = bellwire(&folder);
        program.args(arguments).env("BELLWIRE_URL", "http://127.0.0.1:8000");
        Finished::wait(program.spawn().unwrap())
    };
    let first = run(&["seed"]);
    assert_eq!(first.code, Some(0), "{}", first.stderr);
    assert_eq!(first.stderr, "", "progress is for terminals");
    for says in ["/chat/", "http://127.0.0.1:8000/accounts/first/", "`Amara Okafor`", PASSWORD] {
        assert!(first.stdout.contains(says), "{says}: {}", first.stdout);
    }
    let people = run(&["user", "list"]).stdout;
    assert_eq!(people.lines().count(), 13);
    assert!(people.lines().all(|line| line.ends_with("@example.org\tactive")), "{people}");
    let again = run(&["seed"]);
    assert_eq!((again.code, again.stdout, again.stderr), (Some(0), first.stdout, String::new()));
    std::fs::remove_dir_all(&folder).unwrap();
}

#[apply(on_databases)]
#[tokio::test]
async fn on_a_running_site_it_adds_nothing_twice_and_its_people_can_sign_in(
    database: TestDatabase,
) {
    let site = TestSite::start(&database, vec![bellwire_chat::app()]).await;
    let mut ada = site.person("Ada").await;
    let done = seed(&site, &[]).await;
    assert_eq!((done.code, &*done.stderr), (Some(0), ""));
    let [all] = numbers::<6>(site.state(), ALL).await[..] else { panic!("one row") };
    let [people, rooms, messages, ..] = all;
    assert_eq!((people, rooms), (14, 7));
    assert!(messages > 300, "{messages}");
    assert_in_order(site.state()).await;
    let authors =
        numbers::<1>(site.state(), "SELECT COUNT(DISTINCT author_id) FROM chat_messages").await;
    assert_eq!(authors, [[13]], "everybody wrote a message");

    for path in ["/chat/hi/", "/chat/python/", "/chat/events/", "/chat/off-topic/"] {
        let page = ada.get(path).await;
        assert_eq!(
            (page.status, page.text.matches("<li class=\"message\"").count()),
            (200, 50),
            "{path}"
        );
    }
    assert_eq!(ada.get("/chat/organisers/").await.status, 404, "she may not enter it");
    let mut amara = site.client();
    assert_eq!(amara.sign_in("Amara Okafor", PASSWORD).await.status, 303);
    assert_eq!(amara.get("/chat/organisers/").await.status, 200);
    let list = amara.get("/chat/").await.text;
    assert!(list.contains("يوسف الحداد") && list.contains("data-unread=\"2\""), "{list}");

    let again = seed(&site, &[]).await;
    assert_eq!((again.code, again.stdout), (Some(0), done.stdout));
    assert_eq!(numbers::<6>(site.state(), ALL).await, [all]);
    site.stop().await;
}

/// Checks that message times increase with their sequence numbers, and that some messages are
/// unread and some were edited.
async fn assert_in_order(site: &SiteState) {
    let sql = "SELECT a.id FROM chat_messages a JOIN chat_messages b ON a.room_id = b.room_id AND b.seq > a.seq \
               WHERE b.created_at < a.created_at";
    assert_eq!(numbers::<1>(site, sql).await.len(), 0, "times increase with the sequence number");
    let sql = "SELECT r.id FROM chat_rooms r WHERE r.seq <> (SELECT MAX(m.changed_seq) FROM chat_messages m WHERE m.room_id = r.id)";
    assert_eq!(
        numbers::<1>(site, sql).await.len(),
        0,
        "a room's number is that of its latest change"
    );
    let unread = "SELECT COUNT(DISTINCT s.user_id), COUNT(DISTINCT s.room_id) FROM chat_memberships s \
                  JOIN chat_messages m ON m.room_id = s.room_id AND m.seq > s.last_read_seq AND m.author_id <> s.user_id";
    let [[people, rooms]] = numbers::<2>(site, unread).await[..] else { panic!("one row") };
    assert!(
        (3..13).contains(&people) && rooms > 4,
        "{people} people have not read something, in {rooms} rooms"
    );
    let edited =
        numbers::<1>(site, "SELECT COUNT(*) FROM chat_messages WHERE edited_at IS NOT NULL").await;
    assert_ne!(edited, [[0]]);
}

#[apply(on_databases)]
#[tokio::test]
async fn missing_messages_are_appended_after_newer_ones_and_deleted_messages_stay_deleted(
    database: TestDatabase,
) {
    let site = TestSite::start(&database, vec![bellwire_chat::app()]).await;
    let ada = site.person("Ada").await;
    assert_eq!(seed(&site, &[]).await.code, Some(0));
    let before = numbers::<6>(site.state(), ALL).await;
    // Simulates a run that was interrupted after 100 messages of `python`. One of those messages is
    // deleted, and another person writes one.
    let missing = change(
        &site,
        "DELETE FROM chat_messages WHERE seq > 100 AND room_id = (SELECT id FROM chat_rooms WHERE slug = 'python')",
    );
    let missing = i64::try_from(missing.await).unwrap();
    assert!(missing > 5, "{missing}");
    change(&site, "UPDATE chat_messages SET text = '', deleted_at = created_at WHERE seq = 7")
        .await;
    assert_eq!(ada.clone().post("/chat/python/", &[("message", "Am I early?")]).await.status, 303);
    let here =
        numbers::<1>(site.state(), "SELECT MAX(seq) FROM chat_messages WHERE text = 'Am I early?'")
            .await;

    assert_eq!(seed(&site, &[]).await.code, Some(0));
    let after = numbers::<6>(site.state(), ALL).await;
    assert_eq!(after[0][..2], before[0][..2]);
    assert_eq!(after[0][2], before[0][2] + 1, "all seeded messages, and Ada's");
    let [[ada_at]] = here[..] else { panic!("one row") };
    let sql = format!(
        "SELECT COUNT(*) FROM chat_messages WHERE seq > {ada_at} AND room_id = (SELECT id FROM chat_rooms WHERE slug = 'python')"
    );
    assert_eq!(numbers::<1>(site.state(), &sql).await, [[missing]]);
    assert_in_order(site.state()).await;
    site.stop().await;
}

/// Changes the database directly. Returns the number of changed rows.
async fn change(site: &TestSite, sql: &'static str) -> u64 {
    let job = async move |tx: bellwire_site::Tx| {
        let statement = Statement::from_string(tx.get_database_backend(), sql);
        Ok::<_, bellwire_site::DbError>(tx.execute_raw(statement).await?.rows_affected())
    };
    site.state().db().write(job).await.unwrap()
}

#[apply(on_databases)]
#[tokio::test]
async fn two_concurrent_runs_have_the_effect_of_one(database: TestDatabase) {
    let site = TestSite::start(&database, vec![bellwire_chat::app()]).await;
    let (one, other) = tokio::join!(seed(&site, &[]), seed(&site, &[]));
    assert_eq!((one.code, &*one.stderr), (Some(0), ""));
    assert_eq!((other.code, &*other.stderr), (Some(0), ""));
    let both = numbers::<6>(site.state(), ALL).await;
    assert_eq!(both[0][..2], [13, 7]);
    let again =
        "SELECT MIN(id) FROM chat_messages GROUP BY room_id, author_id, text HAVING COUNT(*) > 1";
    assert_eq!(numbers::<1>(site.state(), again).await.len(), 0, "no message is stored twice");
    site.stop().await;
}

#[tokio::test]
async fn a_site_with_several_accounts_is_filled_only_with_yes() {
    let site = TestSite::start(&TestDatabase::Sqlite, vec![bellwire_chat::app()]).await;
    for name in ["Ada", "Grace"] {
        site.person(name).await;
    }
    let refused = seed(&site, &[]).await;
    assert_eq!(refused.code, Some(1));
    assert!(
        refused.stderr.contains("2 people have an account here")
            && refused.stderr.contains("--yes")
    );
    assert_eq!(numbers::<1>(site.state(), "SELECT COUNT(*) FROM users").await, [[2]]);
    assert_eq!(seed(&site, &["--yes"]).await.code, Some(0));
    assert_eq!(numbers::<1>(site.state(), "SELECT COUNT(*) FROM users").await, [[15]]);
    site.stop().await;
}

#[test]
fn a_site_with_restricted_sign_up_is_filled_only_with_yes() {
    let folder = folder("closed-seed");
    let run = |arguments: &[&str]| {
        let mut program = bellwire(&folder);
        program.args(arguments).env("BELLWIRE_SIGNUP", "closed");
        Finished::wait(program.spawn().unwrap())
    };
    let refused = run(&["seed"]);
    assert_eq!((refused.code, &*run(&["user", "list"]).stdout), (Some(1), ""));
    assert!(refused.stderr.contains("BELLWIRE_SIGNUP"), "{}", refused.stderr);
    assert_eq!(run(&["seed", "--yes"]).code, Some(0));
    std::fs::remove_dir_all(&folder).unwrap();
}

#[tokio::test]
async fn it_refuses_to_write_messages_for_an_existing_account() {
    let site = TestSite::start(&TestDatabase::Sqlite, vec![bellwire_chat::app()]).await;
    site.person("amara okafor").await;
    let refused = seed(&site, &[]).await;
    assert_eq!(refused.code, Some(1));
    assert!(refused.stderr.contains("`Amara Okafor`"), "{}", refused.stderr);
    assert_eq!(numbers::<1>(site.state(), "SELECT COUNT(*) FROM users").await, [[1]]);
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn a_room_can_have_any_number_of_messages_and_its_conversation_comes_last(
    database: TestDatabase,
) {
    let site = TestSite::start(&database, vec![bellwire_chat::app()]).await;
    let long = &["--messages", "1234", "--room", "hi"];
    assert_eq!(seed(&site, long).await.code, Some(0));
    let in_hi = "SELECT COUNT(*), MIN(seq), MAX(seq) FROM chat_messages WHERE room_id = (SELECT id FROM chat_rooms WHERE slug = 'hi')";
    let [[first, 1, last]] = numbers::<3>(site.state(), in_hi).await[..] else { panic!("one row") };
    assert!(first > 1234 && first == last, "{first} messages, the last at {last}");
    assert_in_order(site.state()).await;
    assert_eq!(seed(&site, long).await.code, Some(0), "the room is already long enough");
    assert_eq!(numbers::<3>(site.state(), in_hi).await, [[first, 1, last]]);
    site.stop().await;
}

#[test]
fn incomplete_or_invalid_arguments_are_refused() {
    let folder = folder("half-seed");
    for wrong in
        [&["--messages", "10"][..], &["--room", "hi"], &["--messages", "0", "--room", "hi"]]
    {
        let mut program = bellwire(&folder);
        program.arg("seed").args(wrong);
        assert_eq!(Finished::wait(program.spawn().unwrap()).code, Some(2), "{wrong:?}");
    }
    std::fs::remove_dir_all(&folder).unwrap();
}
