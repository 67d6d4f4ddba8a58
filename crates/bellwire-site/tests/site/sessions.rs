//! Tests of sessions of signed-in people: cookie, renewal, expiry and deactivation.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use bellwire_testkit::{PASSWORD, TestDatabase, TestSite, Window, apply, on_databases, within};
use sea_orm::{ConnectionTrait, DbBackend, Statement};

async fn count(site: &TestSite, sql: &str) -> i64 {
    let db = site.state().db().read();
    let row = db
        .query_one_raw(Statement::from_string(db.get_database_backend(), sql))
        .await
        .unwrap()
        .unwrap();
    row.try_get_by_index(0).unwrap()
}

async fn last_seen(site: &TestSite) -> String {
    let db = site.state().db().read();
    let sql = "SELECT CAST(MAX(last_seen_at) AS TEXT) FROM sessions";
    let row = db
        .query_one_raw(Statement::from_string(db.get_database_backend(), sql))
        .await
        .unwrap()
        .unwrap();
    row.try_get_by_index(0).unwrap()
}

async fn sessions(site: &TestSite) -> i64 {
    count(site, "SELECT COUNT(*) FROM sessions").await
}

async fn is_signed_in(client: &mut bellwire_testkit::Client) -> bool {
    client.get("/").await.text.contains("Sign out")
}

#[tokio::test]
async fn the_cookie_is_http_only_and_secure_on_https() {
    let site = TestSite::start(&TestDatabase::Sqlite, vec![bellwire_home::app()]).await;
    let plain = site.client().sign_up("Ada").await;
    assert!(
        plain.header("set-cookie").starts_with("bellwire_session="),
        "{}",
        plain.header("set-cookie")
    );
    assert!(
        plain.header("set-cookie").contains("; Path=/; Max-Age=34560000; HttpOnly; SameSite=Lax")
    );
    assert!(!plain.header("set-cookie").contains("Secure"));
    site.stop().await;

    let https =
        |settings: &mut bellwire_site::Settings| settings.url = "https://chat.example".parse().ok();
    let site = TestSite::start_with(&TestDatabase::Sqlite, vec![bellwire_home::app()], https).await;
    let secure = site.client().sign_up("Ada").await;
    let cookie = secure.header("set-cookie");
    assert!(
        cookie.starts_with("__Host-bellwire_session=")
            && cookie.ends_with("; SameSite=Lax; Secure"),
        "{cookie}"
    );
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn reading_pages_begins_no_session(database: TestDatabase) {
    let site = TestSite::start(&database, vec![bellwire_home::app()]).await;
    let mut stranger = site.client();
    for path in ["/", "/accounts/login/", "/accounts/signup/", "/accounts/first/", "/nothing/"] {
        assert!(!stranger.get(path).await.headers.contains_key("set-cookie"), "{path}");
    }
    stranger.sign_in("nobody", "whatever it is").await;
    assert_eq!(sessions(&site).await, 0);
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn signing_in_begins_a_new_session_and_ends_the_old_one(database: TestDatabase) {
    let site = TestSite::start(&database, vec![bellwire_home::app()]).await;
    let mut ada = site.client();
    ada.sign_up("Ada").await;
    let mut planted = ada.clone();
    assert!(is_signed_in(&mut planted).await);
    ada.sign_in("Ada", PASSWORD).await;
    assert_ne!(ada.cookies(), planted.cookies());
    assert!(is_signed_in(&mut ada).await && !is_signed_in(&mut planted).await);
    assert_eq!(sessions(&site).await, 1);
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn pages_of_one_person_do_not_reconnect_as_another_person(database: TestDatabase) {
    let site = TestSite::start(&database, vec![bellwire_home::app()]).await;
    site.person("Ben").await;
    let mut browser = site.client();
    browser.sign_up("Ada").await;
    let mut page = Window::open(&browser, "/ws/").await;
    browser.sign_in("Ben", PASSWORD).await;
    assert_eq!(page.closed().await, 1008);
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn an_ended_session_is_not_revived_by_requests_in_progress(database: TestDatabase) {
    let site = TestSite::start(&database, vec![bellwire_home::app()]).await;
    let mut ada = site.client();
    ada.sign_up("Ada").await;
    let mut same = ada.clone();
    // Late enough that every request also updates `last_seen_at`.
    site.state().clock().advance(Duration::from_secs(3600));
    let (_, pages) = tokio::join!(
        ada.post("/accounts/logout/", &[]),
        futures_util::future::join_all((0..8).map(|_| {
            let mut same = same.clone();
            async move { same.get("/").await.status }
        }))
    );
    assert_eq!(pages, [200; 8]);
    assert!(!is_signed_in(&mut same).await);
    assert_eq!(sessions(&site).await, 0);
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn a_session_expires_after_a_month_without_use(database: TestDatabase) {
    let site = TestSite::start(&database, vec![bellwire_home::app()]).await;
    let (mut ada, mut grace) = (site.person("Ada").await, site.person("Grace").await);
    let begun = last_seen(&site).await;
    assert!(is_signed_in(&mut ada).await);
    assert_eq!(last_seen(&site).await, begun, "updated at most once a minute");
    for _ in 0..3 {
        let before = last_seen(&site).await;
        site.state().clock().advance(Duration::from_secs(20 * 24 * 3600));
        assert!(is_signed_in(&mut ada).await);
        // Recorded in the background.
        within("the update of last_seen_at", async { while last_seen(&site).await == before {} })
            .await;
    }
    assert!(!is_signed_in(&mut grace).await);
    within("the deletion of expired sessions", async { while sessions(&site).await != 1 {} }).await;
    site.stop().await;
}

/// Every value in a table, as bytes.
async fn values(site: &TestSite, table: &str) -> Vec<Vec<u8>> {
    let db = site.state().db().read();
    let (backend, postgres) =
        (db.get_database_backend(), db.get_database_backend() == DbBackend::Postgres);
    let columns = match postgres {
        true => {
            format!(
                "SELECT column_name::text FROM information_schema.columns WHERE table_name = '{table}'"
            )
        }
        false => format!("SELECT name FROM pragma_table_info('{table}')"),
    };
    let mut values = Vec::new();
    for column in db.query_all_raw(Statement::from_string(backend, columns)).await.unwrap() {
        let column: String = column.try_get_by_index(0).unwrap();
        let hex = match (postgres, &*column) {
            (true, "token_hash") => format!("encode({column}, 'hex')"),
            (true, _) => format!("encode(convert_to({column}::text, 'UTF8'), 'hex')"),
            (false, _) => format!("lower(hex({column}))"),
        };
        let sql = format!("SELECT {hex} FROM {table} WHERE {column} IS NOT NULL");
        for row in db.query_all_raw(Statement::from_string(backend, sql)).await.unwrap() {
            let hex: String = row.try_get_by_index(0).unwrap();
            let byte = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
            values.push((0..hex.len()).step_by(2).map(byte).collect());
        }
    }
    values
}

#[apply(on_databases)]
#[tokio::test]
async fn reading_the_database_does_not_allow_signing_in(database: TestDatabase) {
    let site = TestSite::start(&database, vec![bellwire_home::app()]).await;
    let mut ada = site.client();
    let fields = [("username", "Ada"), ("password", PASSWORD), ("password_confirm", PASSWORD)];
    let more = [&fields[..], &[("email", "ada@example.org")]].concat();
    assert_eq!(ada.post("/accounts/signup/", &more).await.status, 303);
    ada.sign_in("Ada", PASSWORD).await; // so that a session has ended
    let mut read = Vec::new();
    for (table, columns) in [("sessions", 8), ("users", 10), ("ended_sessions", 4)] {
        let values = values(&site, table).await;
        assert_eq!(values.len(), columns, "{table}");
        read.extend(values);
    }
    assert!(read.iter().any(|value| value.starts_with(b"$argon2id$")));
    assert!(read.iter().filter(|value| value.len() == 32).count() == 1, "the hash of the token");
    for value in read {
        let hex: String = value.iter().map(|byte| format!("{byte:02x}")).collect();
        let text = String::from_utf8(value.clone()).unwrap_or_default();
        for cookie in [text, hex, URL_SAFE_NO_PAD.encode(&value), STANDARD.encode(&value)] {
            let header = format!("bellwire_session={cookie}");
            let page = site.client().get_with("/", &[("cookie", &header)]).await;
            assert!(page.status == 200 && !page.text.contains("Sign out"), "{cookie}");
            assert_ne!(ada.cookies(), header);
        }
    }
    assert!(is_signed_in(&mut ada).await);
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn a_deactivated_person_is_signed_out_at_once_and_cannot_sign_in(database: TestDatabase) {
    let site = TestSite::start(&database, vec![bellwire_home::app()]).await;
    let mut ada = site.person("Ada").await;
    let off = site.state().db().write(async |tx: bellwire_site::Tx| {
        Ok::<_, bellwire_site::DbError>(
            tx.execute_unprepared("UPDATE users SET is_active = FALSE").await?,
        )
    });
    off.await.unwrap();
    assert!(!is_signed_in(&mut ada).await);
    assert_eq!(site.client().sign_in("Ada", PASSWORD).await.status, 422);
    site.stop().await;
}

#[tokio::test]
async fn an_invalid_cookie_counts_as_none() {
    let site = TestSite::start(&TestDatabase::Sqlite, vec![bellwire_home::app()]).await;
    for cookie in [
        "bellwire_session=",
        "bellwire_session=x",
        "bellwire_session=\"\"",
        "bellwire_session",
        ";;;=;",
    ] {
        let page = site.client().get_with("/", &[("cookie", cookie)]).await;
        assert_eq!(page.status, 200, "{cookie}");
    }
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn among_several_session_cookies_the_valid_one_is_found(database: TestDatabase) {
    let site = TestSite::start(&database, vec![bellwire_home::app()]).await;
    let ada = site.person("Ada").await;
    let own = ada.cookies();
    let unknown = format!("bellwire_session={}", "A".repeat(43));
    for cookie in [format!("{unknown}; {own}"), format!("bellwire_session=x; {own}; {unknown}")] {
        let page = site.client().get_with("/", &[("cookie", &cookie)]).await;
        assert!(page.text.contains("Sign out"), "{cookie}");
    }
    let many = format!("{}{own}", format!("{unknown}; ").repeat(100));
    assert!(!site.client().get_with("/", &[("cookie", &many)]).await.text.contains("Sign out"));
    site.stop().await;
}
