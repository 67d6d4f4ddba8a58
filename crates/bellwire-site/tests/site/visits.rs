//! Visits: what is kept for somebody without an account, and for how long.

use std::time::Duration;

use axum::Router;
use axum::response::Response;
use axum::routing::get;
use bellwire::{Close, Consumer, Error, Socket};
use bellwire_site::{App, Db, DbError, SiteError, SiteState, Tx, Upgrade, Visit};
use bellwire_testkit::{Answer, Client, TestDatabase, TestSite, Window, databases};
use sea_orm::{ConnectionTrait, Statement};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// An app that keeps a list of words for each visitor.
fn words() -> App {
    fn routes(_: &SiteState) -> Router<SiteState> {
        Router::new().route("/words/", get(show).post(add)).route("/ws/words/", get(socket))
    }
    App::new("words").routes(routes)
}

async fn show(visit: Visit) -> Result<String, SiteError> {
    let words: Vec<String> = visit.read("words").await?;
    Ok(format!("[{}]", words.join(",")))
}

async fn add(visit: Visit, word: String) -> Result<(), SiteError> {
    keep(&visit, word).await
}

async fn keep(visit: &Visit, word: String) -> Result<(), SiteError> {
    let add = move |words: &mut Vec<String>, _: &_| match word.as_str() {
        "fail" => Err(SiteError::Invalid("Not that word.".to_owned())),
        _ => {
            words.push(word);
            Ok(())
        }
    };
    visit.update("words", add).await
}

struct Words(Visit);

impl Consumer for Words {
    type Action = String;
    type Event = ();

    async fn receive(&mut self, socket: &mut Socket, word: String) -> Result<(), Error> {
        keep(&self.0, word).await.map_err(SiteError::over_socket)?;
        socket.send_text("kept").await
    }
}

async fn socket(visit: Visit, upgrade: Upgrade) -> Response {
    upgrade.visit(&visit).run(Words(visit))
}

async fn says(client: &mut Client, word: &str) -> Answer {
    client
        .send(axum::http::Method::POST, "/words/", &[("sec-fetch-site", "same-origin")], word.to_owned())
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

#[tokio::test]
async fn what_is_kept_is_there_after_a_reload_and_a_restart_and_is_nobody_elses() {
    for database in databases() {
        let site = site(&database).await;
        let (mut ada, mut ben) = (site.client(), site.client());
        let first = ada.get("/words/").await;
        let cookie = first.header("set-cookie").to_owned();
        assert!(
            cookie.starts_with("bellwire_visit=") && cookie.contains("; HttpOnly; SameSite=Lax"),
            "{cookie}"
        );
        assert_eq!(first.header("cache-control"), "private, no-cache");
        assert_eq!(says(&mut ada, "milk").await.status, 200);
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
}

#[tokio::test]
async fn the_table_does_not_hold_what_the_cookie_holds() {
    for database in databases() {
        let site = site(&database).await;
        let mut ada = site.client();
        ada.get("/words/").await;
        let token = ada.cookies().split_once('=').expect("a cookie").1.to_owned();
        let statement = Statement::from_string(
            site.state().db().read().get_database_backend(),
            "SELECT token_hash FROM visits",
        );
        let row = site.state().db().read().query_one_raw(statement).await.unwrap().expect("a visit");
        let hash: Vec<u8> = row.try_get_by_index(0).unwrap();
        use base64::Engine;
        let secret = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(&token).expect("a token");
        assert_eq!((secret.len(), hash.len()), (32, 32));
        assert_ne!(secret, hash);
        site.stop().await;
    }
}

#[tokio::test]
async fn without_a_visit_nothing_is_kept_and_that_is_said() {
    let site = site(&TestDatabase::Sqlite).await;
    let mut stranger = site.client();
    let refused = says(&mut stranger, "milk").await;
    assert_eq!(refused.status, 422);
    assert!(refused.text.contains("Load the page again"), "{}", refused.text);
    let mut forged = site.client();
    forged.take_cookie(&format!("bellwire_visit={}", "A".repeat(43)).parse().unwrap());
    assert_eq!(says(&mut forged, "milk").await.status, 422, "a token of one's own making");
    let mut socket = Window::open(&stranger, "/ws/words/").await;
    socket.say("milk").await;
    socket.hear(&["\"error\"", "Load the page again"]).await;
    assert_eq!(
        numbers(site.state().db(), "SELECT COUNT(*) FROM visits").await,
        [0],
        "only a page begins a visit"
    );
    site.stop().await;
}

#[tokio::test]
async fn what_is_refused_changes_nothing_and_there_is_an_end_of_the_room() {
    for database in databases() {
        let site = site(&database).await;
        let mut ada = site.client();
        ada.get("/words/").await;
        says(&mut ada, "milk").await;
        assert_eq!(says(&mut ada, "fail").await.status, 422);
        assert_eq!(says(&mut ada, &"x".repeat(17_000)).await.status, 422);
        assert_eq!(says(&mut ada, "\0").await.status, 200, "JSON has a way to write it");
        assert_eq!(ada.get("/words/").await.text, "[milk,\0]");
        site.stop().await;
    }
}

#[tokio::test]
async fn of_many_who_add_at_once_everyone_is_heard() {
    for database in databases() {
        let site = site(&database).await;
        let mut ada = site.client();
        ada.get("/words/").await;
        let adding = (0..20).map(|number| {
            let mut tab = ada.clone();
            async move { says(&mut tab, &number.to_string()).await.status }
        });
        let all = futures_util::future::join_all(adding).await;
        assert!(all.iter().all(|status| *status == 200), "{all:?}");
        let kept = ada.get("/words/").await.text;
        assert_eq!(kept.split(',').count(), 20, "{kept}");
        site.stop().await;
    }
}

#[tokio::test]
async fn signing_out_ends_the_visit_and_closes_its_sockets() {
    for database in databases() {
        let site = site(&database).await;
        let mut anonymous = site.client();
        anonymous.get("/words/").await;
        says(&mut anonymous, "before").await;
        let mut before = Window::open(&anonymous, "/ws/words/").await;
        let mut ada = anonymous.clone();
        for pair in site.person("Ada").await.cookies().split("; ") {
            ada.take_cookie(&pair.parse().unwrap());
        }
        assert_eq!(ada.get("/words/").await.text, "[before]", "signing in takes nothing away");
        let mut other = site.client();
        other.get("/words/").await;
        says(&mut other, "mine").await;

        let old = ada.clone();
        let out = ada.post("/accounts/logout/", &[]).await;
        assert_eq!(out.headers.get_all("set-cookie").iter().count(), 2, "both cookies go");
        assert_eq!(ada.cookies(), "");
        assert_eq!(before.closed().await, Close::POLICY, "a tab from before signing in");
        assert_eq!(says(&mut old.clone(), "after").await.status, 422, "what has ended is not revived");
        assert_eq!(ada.get("/words/").await.text, "[]", "the next person begins with nothing");
        assert_eq!(other.get("/words/").await.text, "[mine]");
        site.stop().await;
    }
}

#[tokio::test]
async fn a_visit_that_goes_on_is_kept_and_one_that_was_not_used_for_a_month_is_not() {
    for database in databases() {
        let site = site(&database).await;
        let (mut ada, mut ben) = (site.client(), site.client());
        for each in [&mut ada, &mut ben] {
            each.get("/words/").await;
            says(each, "kept").await;
        }
        site.state().clock().advance(20 * DAY);
        assert_eq!(says(&mut ada, "on").await.status, 200);
        site.state().clock().advance(11 * DAY);
        assert_eq!(ada.get("/words/").await.text, "[kept,on]");
        let anew = ben.get("/words/").await;
        assert_eq!(anew.text, "[]");
        assert_ne!(anew.header("set-cookie"), "", "another visit begins");
        assert_eq!(
            numbers(site.state().db(), "SELECT COUNT(*) FROM visits").await,
            [2],
            "the old one is swept away"
        );
        site.stop().await;
    }
}

#[tokio::test]
async fn an_address_that_begins_visit_after_visit_gets_pages_and_no_more_visits() {
    let site = site(&TestDatabase::Sqlite).await;
    for _ in 0..120 {
        assert_ne!(site.client().get("/words/").await.header("set-cookie"), "");
    }
    let answer = site.client().get("/words/").await;
    assert_eq!((answer.status, &*answer.text, answer.header("set-cookie")), (200, "[]", ""));
    assert_eq!(numbers(site.state().db(), "SELECT COUNT(*) FROM visits").await, [120]);
    site.stop().await;
}

#[tokio::test]
async fn of_one_address_so_many_visits_are_kept_and_the_empty_and_the_oldest_go_first() {
    for database in databases() {
        let site = site(&database).await;
        let (mut ada, mut ben) = (site.client(), site.client());
        ben.get("/words/").await;
        let mut goes = Window::open(&ben, "/ws/words/").await;
        site.state().clock().advance(Duration::from_secs(10 * 60 * 60));
        ada.get("/words/").await;
        says(&mut ada, "kept").await;
        let mut stays = Window::open(&ada, "/ws/words/").await;
        let now = site.state().clock().date();
        let filled = site.state().db().write(async move |tx: Tx| {
            let sql = "INSERT INTO visits (token_hash, address, data, created_at, last_seen_at) VALUES ($1, $2, $3, $4, $5)";
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
            numbers(site.state().db(), "SELECT COUNT(*) FROM visits WHERE address = '127.0.0.1'").await;
        assert_eq!(left, [500]);
        let full = numbers(site.state().db(), "SELECT COUNT(*) FROM visits WHERE data <> ''").await;
        assert_eq!(full, [251], "none went that had something in it");
        assert_eq!(ada.get("/words/").await.text, "[kept]");
        assert_eq!(goes.closed().await, Close::POLICY, "what is gone has no window");
        stays.say("more").await;
        stays.hear(&["kept"]).await;
        site.stop().await;
    }
}

#[tokio::test]
async fn the_windows_of_a_visit_that_is_swept_away_close_and_no_others() {
    for database in databases() {
        let site = site(&database).await;
        let (mut ada, mut ben) = (site.client(), site.client());
        ben.get("/words/").await;
        let mut goes = Window::open(&ben, "/ws/words/").await;
        site.state().clock().advance(DAY * 29);
        ada.get("/words/").await;
        let mut stays = Window::open(&ada, "/ws/words/").await;
        site.state().clock().advance(DAY);
        site.client().get("/words/").await;
        assert_eq!(goes.closed().await, Close::POLICY);
        stays.say("milk").await;
        stays.hear(&["kept"]).await;
        site.stop().await;
    }
}
