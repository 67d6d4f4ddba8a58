//! Tests that the end of a session closes its sockets at once, in every process on the same
//! database, and no other sockets.

use std::pin::Pin;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use bellwire::{Consumer, Error, Frame, Html, Patch, Socket, Topic};
use bellwire_site::SiteAccounts as _;
use bellwire_site::{App, Live, SiteState, User};
use bellwire_testkit::{
    Client, PASSWORD, TestDatabase, TestSite, Window, apply, on_databases, within,
};
use tokio::sync::Notify;

const EXPIRED: &str = "Your session has expired. Sign in again.";

const SECRET: Topic<u8> = Topic::new("secret");

struct Listener;

impl Consumer for Listener {
    type Action = Frame;
    type Event = ();
    type Error = Error;

    async fn connect(&mut self, socket: &mut Socket<Self>) -> Result<(), Error> {
        socket.join(SECRET.of(1));
        socket.patch(Patch::inner("#secret", Html::text("welcome"))).await
    }

    async fn receive(&mut self, socket: &mut Socket<Self>, frame: Frame) -> Result<(), Error> {
        socket.send(frame).await
    }
}

async fn listen(_: User, live: Live) -> Response {
    live.run(Listener)
}

/// Signals to hold a request in progress, one pair per site.
#[derive(Debug, Default)]
struct Gate {
    begun: Notify,
    proceed: Notify,
}

/// A handshake that stays in progress after its session was looked up.
async fn slow(_: User, State(site): State<SiteState>, live: Live) -> Response {
    let gate = site.own::<Gate>();
    gate.begun.notify_one();
    gate.proceed.notified().await;
    live.run(Listener)
}

fn apps() -> Vec<App> {
    let routes = Router::new().route("/ws/listen/", get(listen)).route("/ws/slow/", get(slow));
    vec![App::new("listen").router(routes)]
}

fn publish(site: &TestSite, text: &str) {
    let group = site.state().bellwire().layer().group(SECRET.of(1));
    group.patch(Patch::inner("#secret", Html::text(text)));
}

async fn open(site: &TestSite, client: &Client) -> Window {
    let mut window = Window::open(&client.at(site), "/ws/listen/").await;
    window.hear(&["welcome"]).await;
    window
}

/// Ada on two devices and Grace on one, with sockets in two processes. The session that ends is
/// that of Ada's phone.
struct Scene {
    here: TestSite,
    there: TestSite,
    laptop: Client,
    phone: Client,
    grace: Client,
}

impl Scene {
    async fn set(database: &TestDatabase) -> Self {
        let here = TestSite::start(database, apps()).await;
        let there = here.beside(apps()).await;
        let (laptop, grace) = (here.person("Ada").await, here.person("Grace").await);
        let mut phone = here.client();
        assert_eq!(phone.sign_in("Ada", PASSWORD).await.status, 303);
        Self { here, there, laptop, phone, grace }
    }

    /// The session id of a client, as used by the form that ends it.
    async fn session(&self, client: &Client) -> String {
        let key = self.here.user(client).await.session_key();
        key.split_once('.').expect("session.17").1.to_owned()
    }

    /// Ends the phone's session by `cause`, and asserts that its sockets close at once in both
    /// processes and Grace's do not.
    async fn assert_closed_by(mut self, cause: Cause, reason: &str) {
        let mut phone = [open(&self.here, &self.phone).await, open(&self.there, &self.phone).await];
        let mut grace = [open(&self.here, &self.grace).await, open(&self.there, &self.grace).await];
        cause(&mut self).await;
        publish(&self.there, "after");
        for (window, is_here) in phone.iter_mut().zip([true, false]) {
            let ending = window.ending().await;
            assert_eq!((ending.code, &*ending.reason), (1008, reason));
            // The process that ends the session closes its sockets before it answers. Expiry is
            // noticed later.
            assert!(is_here || reason == EXPIRED || ending.heard.is_empty(), "{ending:?}");
        }
        for site in [&self.here, &self.there] {
            publish(site, "later");
            assert!(
                Window::try_open(&self.phone.at(site), "/ws/listen/", &site.url("")).await.is_err()
            );
        }
        for window in &mut grace {
            window.hear(&["later"]).await;
        }
        drop((phone, grace));
        self.there.stop().await;
        self.here.stop().await;
    }
}

/// A way to end the phone's session, in the process `there`.
type Cause = for<'a> fn(&'a mut Scene) -> Pin<Box<dyn Future<Output = ()> + 'a>>;

/// The same client, connected to the other process.
fn there(scene: &Scene, client: &Client) -> Client {
    let mut same = scene.there.client();
    let (name, value) = client
        .cookies()
        .split_once('=')
        .map(|(n, v)| (n.to_owned(), v.to_owned()))
        .expect("a cookie");
    same.take_cookie(&format!("{name}={value}").parse().expect("a header"));
    same
}

#[apply(on_databases)]
#[tokio::test]
async fn signing_out_closes_the_sockets_of_the_session_everywhere(database: TestDatabase) {
    let cause: Cause = |scene| {
        Box::pin(async {
            let answer = there(scene, &scene.phone).post("/accounts/logout/", &[]).await;
            assert_eq!(answer.status, 303);
        })
    };
    Scene::set(&database).await.assert_closed_by(cause, "You are signed out.").await;
}

#[apply(on_databases)]
#[tokio::test]
async fn ending_a_session_from_another_device_closes_its_sockets_everywhere(
    database: TestDatabase,
) {
    let cause: Cause = |scene| {
        Box::pin(async {
            let path = format!("/accounts/sessions/{}/end/", scene.session(&scene.phone).await);
            let answer = there(scene, &scene.laptop).post(&path, &[]).await;
            assert_eq!((answer.status, answer.location()), (303, "/accounts/"));
        })
    };
    Scene::set(&database)
        .await
        .assert_closed_by(cause, "You were signed out from another device.")
        .await;
}

#[apply(on_databases)]
#[tokio::test]
async fn a_new_password_closes_the_sockets_of_all_other_sessions_everywhere(
    database: TestDatabase,
) {
    let cause: Cause = |scene| {
        Box::pin(async {
            let new = "another bell for Ada";
            let fields = [("current", PASSWORD), ("password", new), ("password_confirm", new)];
            let answer = there(scene, &scene.laptop).post("/accounts/password/", &fields).await;
            assert_eq!((answer.status, answer.location()), (303, "/accounts/"), "{}", answer.text);
        })
    };
    Scene::set(&database)
        .await
        .assert_closed_by(cause, "The password was changed. Sign in with the new one.")
        .await;
}

#[apply(on_databases)]
#[tokio::test]
async fn deactivation_closes_all_sockets_of_a_person_everywhere(database: TestDatabase) {
    let cause: Cause = |scene| {
        Box::pin(async {
            assert!(!scene.there.state().accounts().deactivate("ada").await.unwrap().is_active);
        })
    };
    Scene::set(&database).await.assert_closed_by(cause, "This account was deactivated.").await;
}

#[apply(on_databases)]
#[tokio::test]
async fn a_session_that_expires_closes_its_sockets_everywhere(database: TestDatabase) {
    let cause: Cause = |scene| {
        Box::pin(async {
            let days = |number: u64| Duration::from_secs(number * 24 * 3600);
            let clocks = [scene.here.state().clock().clone(), scene.there.state().clock().clone()];
            clocks.iter().for_each(|clock| clock.advance(days(20)));
            let before = seen(&scene.here).await;
            assert!(scene.grace.get("/").await.text.contains("Sign out"));
            // Recorded in the background.
            within("the update of last_seen_at", async {
                while seen(&scene.here).await == before {}
            })
            .await;
            clocks.iter().for_each(|clock| clock.advance(days(11)));
        })
    };
    Scene::set(&database).await.assert_closed_by(cause, EXPIRED).await;
}

/// The latest `last_seen_at` of all sessions.
async fn seen(site: &TestSite) -> String {
    use sea_orm::ConnectionTrait;
    let db = site.state().db().read();
    let sql = "SELECT CAST(MAX(last_seen_at) AS TEXT) FROM sessions";
    let query = sea_orm::Statement::from_string(db.get_database_backend(), sql);
    db.query_one_raw(query).await.unwrap().unwrap().try_get_by_index(0).unwrap()
}

#[apply(on_databases)]
#[tokio::test]
async fn a_handshake_in_progress_when_the_session_ends_is_closed(database: TestDatabase) {
    let site = TestSite::start(&database, apps()).await;
    let (gate, mut ada) = (site.state().own::<Gate>(), site.person("Ada").await);
    let opening = tokio::spawn({
        let ada = ada.clone();
        async move { Window::open(&ada, "/ws/slow/").await }
    });
    within("the handshake", gate.begun.notified()).await;
    assert_eq!(ada.post("/accounts/logout/", &[]).await.status, 303);
    publish(&site, "after");
    gate.proceed.notify_one();
    let ending = within("the window", opening).await.unwrap().ending().await;
    assert_eq!((ending.code, &*ending.reason), (1008, "You are signed out."));
    assert!(ending.heard.is_empty(), "{ending:?}");
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn no_session_begins_with_the_old_password_during_a_password_change(database: TestDatabase) {
    let site = TestSite::start(&database, apps()).await;
    site.person("Ada").await;
    let mut old = PASSWORD.to_owned();
    for round in 0..6 {
        let new = format!("the bell of round {round}");
        let mut thief = site.client();
        let (_, signed_in) = tokio::join!(
            site.state().accounts().set_password("Ada", new.clone()),
            thief.sign_in("Ada", &old)
        );
        assert!(matches!(signed_in.status, 303 | 422));
        assert!(!thief.get("/").await.text.contains("Sign out"), "round {round}");
        old = new;
    }
    site.stop().await;
}
