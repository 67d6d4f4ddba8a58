//! Tests of anonymous sessions: their beginning, data and end.

use std::time::Duration;

use axum::Router;
use axum::response::Response;
use axum::routing::get;
use bellwire::{Close, Consumer, Socket};
use bellwire_site::{App, Db, DbError, Live, Session, SiteError, Tx};
use bellwire_testkit::{
    Answer, Client, PASSWORD, TestDatabase, TestSite, Window, apply, on_databases, within,
};
use sea_orm::{ConnectionTrait, Statement};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// An app that stores a list of words in each session. One page begins the session, the other only
/// reads it.
pub(crate) fn words() -> App {
    let routes = Router::new()
        .route("/words/", get(show).post(add))
        .route("/words/look/", get(look))
        .route("/ws/words/", get(socket));
    App::new("words").router(routes)
}

async fn show(mut session: Session) -> Result<String, SiteError> {
    session.begin().await?;
    look(session).await
}

async fn look(session: Session) -> Result<String, SiteError> {
    let words: Vec<String> = session.read("words").await?;
    Ok(format!("[{}]", words.join(",")))
}

async fn add(session: Session, word: String) -> Result<(), SiteError> {
    keep(&session, word).await
}

async fn keep(session: &Session, word: String) -> Result<(), SiteError> {
    let add = move |words: &mut Vec<String>, _: &_| match word.as_str() {
        "fail" => Err(SiteError::Invalid("Not that word.".to_owned())),
        _ => {
            words.push(word);
            Ok(())
        }
    };
    session.update("words", add).await
}

struct Words(Session);

impl Consumer for Words {
    type Action = String;
    type Event = ();
    type Error = SiteError;

    async fn receive(&mut self, socket: &mut Socket<Self>, word: String) -> Result<(), SiteError> {
        keep(&self.0, word).await?;
        Ok(socket.send_text("kept").await?)
    }
}

async fn socket(session: Session, live: Live) -> Response {
    session.bind(live).run(Words(session))
}

pub(crate) async fn add_word(client: &mut Client, word: &str) -> Answer {
    client
        .send(
            axum::http::Method::POST,
            "/words/",
            &[("sec-fetch-site", "same-origin")],
            word.to_owned(),
        )
        .await
}

async fn site(database: &TestDatabase) -> TestSite {
    TestSite::start(database, vec![words()]).await
}

async fn numbers(db: &Db, sql: &str) -> Vec<i64> {
    let statement = Statement::from_string(db.read().get_database_backend(), sql);
    let rows = db.read().query_all_raw(statement).await.expect("the database answers");
    rows.iter().map(|row| row.try_get_by_index(0).expect("a number")).collect()
}

async fn sessions(site: &TestSite) -> Vec<i64> {
    numbers(site.state().db(), "SELECT COUNT(*) FROM sessions").await
}

async fn ids(site: &TestSite) -> Vec<i64> {
    numbers(site.state().db(), "SELECT id FROM sessions ORDER BY id").await
}

#[apply(on_databases)]
#[tokio::test]
async fn session_data_survives_reloads_and_restarts_and_is_private(database: TestDatabase) {
    let site = site(&database).await;
    let (mut ada, mut ben) = (site.client(), site.client());
    let first = ada.get("/words/").await;
    let cookie = first.header("set-cookie").to_owned();
    assert!(
        cookie.starts_with("bellwire_session=") && cookie.contains("; HttpOnly; SameSite=Lax"),
        "{cookie}"
    );
    assert_eq!(first.header("cache-control"), "private, no-cache");
    assert_eq!(add_word(&mut ada, "milk").await.status, 200);
    let mut socket = Window::open(&ada, "/ws/words/").await;
    socket.say("bread").await;
    socket.hear(&["kept"]).await;
    let again = ada.get("/words/").await;
    assert_eq!((&*again.text, again.header("set-cookie")), ("[milk,bread]", ""));
    assert_eq!(ben.get("/words/").await.text, "[]");
    let site = site.restart(vec![words()]).await;
    assert_eq!(ada.get("/words/").await.text, "[milk,bread]");
    assert_eq!(ben.get("/words/").await.text, "[]");
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn the_table_does_not_contain_the_token_in_the_cookie(database: TestDatabase) {
    let site = site(&database).await;
    let mut ada = site.client();
    ada.get("/words/").await;
    let token = ada.cookies().split_once('=').expect("a cookie").1.to_owned();
    let statement = Statement::from_string(
        site.state().db().read().get_database_backend(),
        "SELECT token_hash FROM sessions",
    );
    let row = site.state().db().read().query_one_raw(statement).await.unwrap().expect("a session");
    let hash: Vec<u8> = row.try_get_by_index(0).unwrap();
    use base64::Engine;
    let secret = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(&token).expect("a token");
    assert_eq!((secret.len(), hash.len()), (32, 32));
    assert_ne!(secret, hash);
    site.stop().await;
}

#[tokio::test]
async fn without_a_session_writing_is_refused_with_an_error_text() {
    let site = site(&TestDatabase::Sqlite).await;
    let mut stranger = site.client();
    let refused = add_word(&mut stranger, "milk").await;
    assert_eq!(refused.status, 422);
    assert!(refused.text.contains("Load the page again"), "{}", refused.text);
    let mut forged = site.client();
    forged.take_cookie(&format!("bellwire_session={}", "A".repeat(43)).parse().unwrap());
    assert_eq!(add_word(&mut forged, "milk").await.status, 422, "a forged token");
    let mut socket = Window::open(&stranger, "/ws/words/").await;
    socket.say("milk").await;
    socket.hear(&["\"error\"", "Load the page again"]).await;
    assert_eq!(sessions(&site).await, [0], "only a page that calls `begin` begins a session");
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn a_refused_update_changes_nothing_and_session_data_has_a_maximum_size(
    database: TestDatabase,
) {
    let site = site(&database).await;
    let mut ada = site.client();
    ada.get("/words/").await;
    add_word(&mut ada, "milk").await;
    assert_eq!(add_word(&mut ada, "fail").await.status, 422);
    assert_eq!(add_word(&mut ada, &"x".repeat(17_000)).await.status, 422);
    assert_eq!(add_word(&mut ada, "\0").await.status, 200, "JSON can encode it");
    assert_eq!(ada.get("/words/").await.text, "[milk,\0]");
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn concurrent_updates_all_succeed(database: TestDatabase) {
    let site = site(&database).await;
    let mut ada = site.client();
    ada.get("/words/").await;
    let adding = (0..20).map(|number| {
        let mut tab = ada.clone();
        async move { add_word(&mut tab, &number.to_string()).await.status }
    });
    let all = futures_util::future::join_all(adding).await;
    assert!(all.iter().all(|status| *status == 200), "{all:?}");
    let kept = ada.get("/words/").await.text;
    assert_eq!(kept.split(',').count(), 20, "{kept}");
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn an_ordinary_page_sets_no_cookie_and_writes_nothing(database: TestDatabase) {
    let site = site(&database).await;
    let mut stranger = site.client();
    for path in ["/", "/words/look/", "/accounts/login/", "/nothing/"] {
        let page = stranger.get(path).await;
        assert_eq!(page.header("set-cookie"), "", "{path}");
    }
    assert_eq!(stranger.get("/words/look/").await.header("cache-control"), "private, no-cache");
    let head = stranger.send(axum::http::Method::HEAD, "/words/", &[], String::new()).await;
    assert_eq!((head.status, head.header("set-cookie")), (200, ""));
    assert_eq!(sessions(&site).await, [0]);
    stranger.get("/words/").await;
    let begun = stranger.cookies();
    stranger.get("/words/look/").await;
    assert_eq!((stranger.cookies(), sessions(&site).await), (begun, vec![1]));
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn signing_in_and_up_rotates_the_session_and_keeps_its_data(database: TestDatabase) {
    let site = site(&database).await;
    let beside = site.beside(vec![words()]).await;
    site.person("Ada").await;
    for (word, name, is_new) in [("milk", "Ada", false), ("bread", "Ben", true)] {
        let mut browser = site.client();
        browser.get("/words/").await;
        add_word(&mut browser, word).await;
        let mut before = browser.clone();
        let mut here = Window::open(&browser, "/ws/words/").await;
        let mut there = Window::open(&browser.at(&beside), "/ws/words/").await;
        let old = ids(&site).await;
        let answer = match is_new {
            true => browser.sign_up(name).await,
            false => browser.sign_in(name, PASSWORD).await,
        };
        assert_eq!(answer.status, 303, "{name}");
        assert_ne!(browser.cookies(), before.cookies());
        let kept = format!("[{word}]");
        assert_eq!(browser.get("/words/look/").await.text, kept);
        let own = ids(&site).await;
        assert!(own.len() == old.len() && own.last() > old.last(), "{old:?} {own:?}");
        assert_eq!(before.get("/words/look/").await.text, "[]", "the previous token is invalid");
        assert_eq!(add_word(&mut before, "after").await.status, 422);
        // The pages reconnect automatically, in the new session.
        assert_eq!(here.closed().await, Close::TRY_AGAIN);
        assert_eq!(there.closed().await, Close::TRY_AGAIN, "in every process");
        let mut back = Window::open(&browser, "/ws/words/").await;
        back.say("more").await;
        back.hear(&["kept"]).await;
        assert_eq!(browser.get("/words/look/").await.text, format!("[{word},more]"));
    }
    beside.stop().await;
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn signing_out_removes_the_session_with_its_data_and_closes_its_sockets(
    database: TestDatabase,
) {
    let site = site(&database).await;
    site.person("Ada").await;
    for is_signed_in in [true, false] {
        let mut ada = site.client();
        ada.get("/words/").await;
        if is_signed_in {
            ada.sign_in("Ada", PASSWORD).await;
        }
        add_word(&mut ada, "before").await;
        let mut window = Window::open(&ada, "/ws/words/").await;
        let mut other = site.client();
        other.get("/words/").await;
        add_word(&mut other, "mine").await;

        let (old, number) = (ada.clone(), sessions(&site).await[0]);
        assert_eq!(ada.post("/accounts/logout/", &[]).await.status, 303);
        assert_eq!((ada.cookies(), sessions(&site).await), (String::new(), vec![number - 1]));
        assert_eq!(window.ending().await.reason, "You are signed out.");
        assert_eq!(
            add_word(&mut old.clone(), "after").await.status,
            422,
            "an ended session is not revived"
        );
        assert_eq!(ada.get("/words/").await.text, "[]", "the next person has no data");
        assert_eq!(other.get("/words/").await.text, "[mine]");
    }
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn in_a_shared_browser_nobody_sees_the_data_of_another_person(database: TestDatabase) {
    let site = site(&database).await;
    for name in ["Ada", "Ben"] {
        site.person(name).await;
    }
    let mut browser = site.client();
    browser.sign_in("Ada", PASSWORD).await;
    add_word(&mut browser, "Ada's").await;
    browser.post("/accounts/logout/", &[]).await;
    browser.sign_in("Ben", PASSWORD).await;
    assert_eq!(browser.get("/words/").await.text, "[]", "after signing out and in");
    add_word(&mut browser, "Ben's").await;
    browser.sign_in("Ben", PASSWORD).await;
    assert_eq!(browser.get("/words/").await.text, "[Ben's]", "the same person keeps it");
    browser.sign_in("Ada", PASSWORD).await;
    assert_eq!(browser.get("/words/").await.text, "[]", "without signing out");
    add_word(&mut browser, "Ada's").await;
    browser.sign_up("Cleo").await;
    assert_eq!(browser.get("/words/").await.text, "[]", "by a new account");
    browser.sign_in("Ben", PASSWORD).await;
    assert_eq!(browser.get("/words/").await.text, "[]", "deleted data does not come back");
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn a_password_change_keeps_the_session_data(database: TestDatabase) {
    let site = site(&database).await;
    let mut ada = site.person("Ada").await;
    let before = ada.cookies();
    add_word(&mut ada, "milk").await;
    let new = "another bell for every test";
    let fields = [("current", PASSWORD), ("password", new), ("password_confirm", new)];
    assert_eq!(ada.post("/accounts/password/", &fields).await.location(), "/accounts/");
    assert_ne!(ada.cookies(), before);
    assert_eq!(ada.get("/words/").await.text, "[milk]");
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn anonymous_sessions_are_not_listed_as_devices_and_do_not_sign_in(database: TestDatabase) {
    let site = site(&database).await;
    let mut ada = site.person("Ada").await;
    let mut stranger = site.client();
    stranger.get("/words/").await;
    assert_eq!(ada.get("/accounts/").await.text.matches("<li class=\"device\"").count(), 1);
    assert!(!stranger.get("/").await.text.contains("Sign out"));
    let both = format!("{}; {}", stranger.cookies(), ada.cookies());
    let page = site.client().get_with("/", &[("cookie", &both)]).await;
    assert!(
        page.text.contains("Sign out"),
        "an anonymous session does not hide one that is signed in"
    );
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn a_used_session_is_kept_and_one_unused_for_a_month_expires(database: TestDatabase) {
    let site = site(&database).await;
    let (mut ada, mut ben) = (site.client(), site.client());
    for each in [&mut ada, &mut ben] {
        each.get("/words/").await;
        add_word(each, "kept").await;
    }
    site.state().clock().advance(20 * DAY);
    assert_eq!(add_word(&mut ada, "on").await.status, 200);
    site.state().clock().advance(11 * DAY);
    assert_eq!(ada.get("/words/").await.text, "[kept,on]");
    let renewed = ben.get("/words/").await;
    assert_eq!(renewed.text, "[]");
    assert_ne!(renewed.header("set-cookie"), "", "another session begins");
    within("the end of the old one", async { while sessions(&site).await != [2] {} }).await;
    site.stop().await;
}

#[tokio::test]
async fn an_address_over_its_quota_gets_pages_without_new_sessions() {
    let site = site(&TestDatabase::Sqlite).await;
    for _ in 0..120 {
        assert_ne!(site.client().get("/words/").await.header("set-cookie"), "");
    }
    let answer = site.client().get("/words/").await;
    assert_eq!((answer.status, &*answer.text, answer.header("set-cookie")), (200, "[]", ""));
    assert_eq!(sessions(&site).await, [120]);
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn sessions_per_address_are_bounded_and_empty_and_least_recently_used_ones_are_evicted_first(
    database: TestDatabase,
) {
    let site = site(&database).await;
    let (mut ada, mut ben) = (site.client(), site.client());
    ben.get("/words/").await;
    let mut goes = Window::open(&ben, "/ws/words/").await;
    site.state().clock().advance(Duration::from_secs(10 * 60 * 60));
    ada.get("/words/").await;
    add_word(&mut ada, "kept").await;
    let mut stays = Window::open(&ada, "/ws/words/").await;
    let now = site.state().clock().date();
    let filled = site.state().db().write(async move |tx: Tx| {
        let sql = "INSERT INTO sessions (token_hash, user_agent, address, data, created_at, last_seen_at) VALUES ($1, '', $2, $3, $4, $5)";
        for number in 0..500u16 {
            let data = if number % 2 == 0 { "" } else { "{}" };
            let seen = now - chrono::TimeDelta::minutes(10 + i64::from(number));
            let hash = number.to_be_bytes().repeat(16);
            let values = [hash.into(), "127.0.0.1".into(), data.into(), seen.into(), seen.into()];
            tx.execute_raw(Statement::from_sql_and_values(tx.get_database_backend(), sql, values)).await?;
        }
        Ok::<_, DbError>(())
    });
    filled.await.expect("the rows fit");
    site.client().get("/words/").await;
    let left =
        numbers(site.state().db(), "SELECT COUNT(*) FROM sessions WHERE user_id IS NULL").await;
    assert_eq!(left, [500]);
    let full = numbers(
        site.state().db(),
        "SELECT COUNT(*) FROM sessions WHERE user_id IS NULL AND data <> ''",
    )
    .await;
    assert_eq!(full, [251], "no session with data was evicted");
    assert_eq!(ada.get("/words/").await.text, "[kept]");
    assert_eq!(goes.closed().await, Close::POLICY, "the sockets of an evicted session close");
    stays.say("more").await;
    stays.hear(&["kept"]).await;
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn only_the_sockets_of_an_expired_session_close(database: TestDatabase) {
    let site = site(&database).await;
    let (mut ada, mut ben) = (site.client(), site.client());
    ben.get("/words/").await;
    let mut goes = Window::open(&ben, "/ws/words/").await;
    site.state().clock().advance(DAY * 29);
    ada.get("/words/").await;
    let mut stays = Window::open(&ada, "/ws/words/").await;
    site.state().clock().advance(DAY);
    assert_eq!(goes.closed().await, Close::POLICY);
    stays.say("milk").await;
    stays.hear(&["kept"]).await;
    site.stop().await;
}
