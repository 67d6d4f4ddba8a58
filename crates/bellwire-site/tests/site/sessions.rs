//! How long, and for whom, a browser stays signed in.

use std::time::Duration;

use bellwire_site::testing::{PASSWORD, TestSite, databases};
use sea_orm::{ConnectionTrait, Statement};

async fn count(site: &TestSite, sql: &str) -> i64 {
    let db = site.state().db().read();
    let row =
        db.query_one_raw(Statement::from_string(db.get_database_backend(), sql)).await.unwrap().unwrap();
    row.try_get_by_index(0).unwrap()
}

async fn last_seen(site: &TestSite) -> String {
    let db = site.state().db().read();
    let sql = "SELECT CAST(MAX(last_seen_at) AS TEXT) FROM sessions";
    let row =
        db.query_one_raw(Statement::from_string(db.get_database_backend(), sql)).await.unwrap().unwrap();
    row.try_get_by_index(0).unwrap()
}

async fn sessions(site: &TestSite) -> i64 {
    count(site, "SELECT COUNT(*) FROM sessions").await
}

async fn is_signed_in(client: &mut bellwire_site::testing::Client) -> bool {
    client.get("/").await.text.contains("Sign out")
}

#[tokio::test]
async fn the_cookie_is_kept_from_scripts_and_from_plain_connections() {
    let site = TestSite::start(&databases()[0], vec![]).await;
    let plain = site.client().sign_up("Ada").await;
    assert!(plain.header("set-cookie").starts_with("bellwire_session="), "{}", plain.header("set-cookie"));
    assert!(plain.header("set-cookie").contains("; Path=/; Max-Age=34560000; HttpOnly; SameSite=Lax"));
    assert!(!plain.header("set-cookie").contains("Secure"));
    site.stop().await;

    let https = |settings: &mut bellwire_site::Settings| settings.url = "https://chat.example".parse().ok();
    let site = TestSite::start_with(&databases()[0], vec![], https).await;
    let secure = site.client().sign_up("Ada").await;
    let cookie = secure.header("set-cookie");
    assert!(
        cookie.starts_with("__Host-bellwire_session=") && cookie.ends_with("; SameSite=Lax; Secure"),
        "{cookie}"
    );
    site.stop().await;
}

#[tokio::test]
async fn who_only_looks_gets_no_session() {
    for database in databases() {
        let site = TestSite::start(&database, vec![]).await;
        let mut stranger = site.client();
        for path in ["/", "/accounts/login/", "/accounts/signup/", "/accounts/first/", "/nothing/"] {
            assert!(!stranger.get(path).await.headers.contains_key("set-cookie"), "{path}");
        }
        stranger.sign_in("nobody", "whatever it is").await;
        assert_eq!(sessions(&site).await, 0);
        site.stop().await;
    }
}

#[tokio::test]
async fn signing_in_begins_a_new_session_and_ends_the_old_one() {
    for database in databases() {
        let site = TestSite::start(&database, vec![]).await;
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
}

#[tokio::test]
async fn a_session_that_ended_is_not_revived_by_what_was_under_way() {
    for database in databases() {
        let site = TestSite::start(&database, vec![]).await;
        let mut ada = site.client();
        ada.sign_up("Ada").await;
        let mut same = ada.clone();
        // Far enough on that every request also notes when the session was used.
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
}

#[tokio::test]
async fn a_session_lives_as_long_as_it_is_used_and_no_longer_than_a_month() {
    for database in databases() {
        let site = TestSite::start(&database, vec![]).await;
        let (mut ada, mut grace) = (site.person("Ada").await, site.person("Grace").await);
        let begun = last_seen(&site).await;
        assert!(is_signed_in(&mut ada).await);
        assert_eq!(last_seen(&site).await, begun, "noted at most once a minute");
        for _ in 0..3 {
            let before = last_seen(&site).await;
            site.state().clock().advance(Duration::from_secs(20 * 24 * 3600));
            assert!(is_signed_in(&mut ada).await);
            while last_seen(&site).await == before {
                tokio::task::yield_now().await; // noted beside the request
            }
        }
        assert!(!is_signed_in(&mut grace).await);
        site.person("Eve").await;
        assert_eq!(sessions(&site).await, 2, "what has expired is swept away");
        site.stop().await;
    }
}

#[tokio::test]
async fn whoever_reads_the_database_cannot_sign_in_with_it() {
    for database in databases() {
        let site = TestSite::start(&database, vec![]).await;
        let mut ada = site.client();
        ada.sign_up("Ada").await;
        let db = site.state().db().read();
        let all = "SELECT s.token_hash, u.password_hash FROM sessions s JOIN users u ON u.id = s.user_id";
        let row =
            db.query_one_raw(Statement::from_string(db.get_database_backend(), all)).await.unwrap().unwrap();
        let hash: Vec<u8> = row.try_get("", "token_hash").unwrap();
        let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        let base64 = base64::Engine::encode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, &hash);
        for read in [hex, base64] {
            let mut thief = site.client();
            let page = thief.get_with("/", &[("cookie", &format!("bellwire_session={read}"))]).await;
            assert!(!page.text.contains("Sign out"));
        }
        assert!(row.try_get::<String>("", "password_hash").unwrap().starts_with("$argon2id$"));
        site.stop().await;
    }
}

#[tokio::test]
async fn a_deactivated_person_is_out_at_once_and_stays_out() {
    for database in databases() {
        let site = TestSite::start(&database, vec![]).await;
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
}

#[tokio::test]
async fn a_broken_cookie_is_as_good_as_none() {
    let site = TestSite::start(&databases()[0], vec![]).await;
    for cookie in
        ["bellwire_session=", "bellwire_session=x", "bellwire_session=\"\"", "bellwire_session", ";;;=;"]
    {
        let page = site.client().get_with("/", &[("cookie", cookie)]).await;
        assert_eq!(page.status, 200, "{cookie}");
    }
    site.stop().await;
}

#[tokio::test]
async fn of_several_cookies_of_our_name_the_one_that_counts_is_found() {
    for database in databases() {
        let site = TestSite::start(&database, vec![]).await;
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
}
