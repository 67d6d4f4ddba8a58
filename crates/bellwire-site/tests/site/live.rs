//! Tests of sockets: the demo counter of the home page, and closing by signing out.

use axum::Router;
use axum::response::Response;
use axum::routing::get;
use bellwire::{Consumer, Error, Frame, Socket};
use bellwire_site::{App, Live, Settings, User};
use bellwire_testkit::{Answer, TestDatabase, TestSite, Window, apply, on_databases};

async fn expect_rings(window: &mut Window, times: u32) {
    window.hear(&["\"#rings\"", &format!("\"html\":\"{times}\"")]).await;
}

async fn expect_windows(window: &mut Window, number: u32) {
    window.hear(&["\"#windows\"", &format!("\"html\":\"{number}\"")]).await;
}

const RING: &str = r#"{"action":"Ring","data":{}}"#;

#[tokio::test]
async fn a_ring_in_one_window_reaches_all_windows_and_windows_are_counted() {
    let site = TestSite::start(&TestDatabase::Sqlite, vec![bellwire_home::app()]).await;
    let mut stranger = site.client();
    let mut one = Window::open(&stranger, "/ws/").await;
    expect_rings(&mut one, 0).await;
    let mut two = Window::open(&stranger, "/ws/").await;
    expect_windows(&mut one, 2).await;
    expect_windows(&mut two, 2).await;
    one.say(RING).await;
    expect_rings(&mut one, 1).await;
    expect_rings(&mut two, 1).await;
    let answer = stranger.post("/ring/", &[]).await;
    assert_eq!((answer.status, answer.location()), (303, "/"), "without JavaScript");
    expect_rings(&mut one, 2).await;
    assert!(stranger.get("/").await.text.contains(">2</dd>"));
    drop(two);
    expect_windows(&mut one, 1).await;
    site.stop().await;
}

#[tokio::test]
async fn an_address_rings_at_most_sixty_times_a_minute_and_updates_are_batched() {
    let site = TestSite::start(&TestDatabase::Sqlite, vec![bellwire_home::app()]).await;
    let mut window = Window::open(&site.client(), "/ws/").await;
    expect_rings(&mut window, 0).await;
    let rings = (0..60).map(|_| {
        let mut client = site.client();
        async move { client.post("/ring/", &[]).await.status }
    });
    assert_eq!(futures_util::future::join_all(rings).await, [303; 60]);
    let refused = site.client().post("/ring/", &[]).await;
    assert_eq!(refused.status, 429);
    assert!(
        !refused.header("retry-after").is_empty() && refused.text.contains("Too many requests")
    );
    let mut frames = 0;
    let last = |text: &str| {
        frames += usize::from(text.contains("#rings"));
        text.contains("\"html\":\"60\"")
    };
    window.until("the sixtieth ring", last).await;
    assert!(frames < 30, "sixty rings are not sixty frames: {frames}");
    site.state().clock().advance(std::time::Duration::from_secs(60));
    assert_eq!(site.client().post("/ring/", &[]).await.status, 303);
    site.stop().await;
}

#[tokio::test]
async fn an_invalid_action_gets_an_error_and_the_socket_stays_open() {
    let site = TestSite::start(&TestDatabase::Sqlite, vec![bellwire_home::app()]).await;
    let mut window = Window::open(&site.client(), "/ws/").await;
    for nonsense in [
        "",
        "x",
        "{}",
        "[]",
        r#"{"action":"Sing"}"#,
        r#"{"action":1}"#,
        r#"{"action":"Ring","data":7}"#,
    ] {
        window.say(nonsense).await;
        if nonsense != "{}" {
            window.hear(&["error"]).await;
        }
    }
    window.say(RING).await;
    expect_rings(&mut window, 2).await; // the empty form is a ring, too
    site.stop().await;
}

#[tokio::test]
async fn a_socket_from_another_site_is_refused_and_the_setting_is_named() {
    let site = TestSite::start(&TestDatabase::Sqlite, vec![bellwire_home::app()]).await;
    for origin in ["https://evil.example", "null"] {
        assert!(Window::try_open(&site.client(), "/ws/", origin).await.is_err());
        let refused = handshake(&site, &[("origin", origin)]).await;
        assert_eq!(refused.status, 403);
        assert!(refused.text.contains("BELLWIRE_URL and BELLWIRE_ORIGINS"), "{}", refused.text);
    }
    site.stop().await;
}

/// The response to a handshake with these headers beside those of RFC 6455.
async fn handshake(site: &TestSite, headers: &[(&str, &str)]) -> Answer {
    let handshake = [
        ("accept", "*/*"),
        ("connection", "upgrade"),
        ("upgrade", "websocket"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ];
    site.client().get_with("/ws/", &[&handshake, headers].concat()).await
}

#[tokio::test]
async fn a_program_without_origin_and_cookie_opens_a_socket_only_if_the_setting_allows_it() {
    for (native_clients, expected) in [(true, 101), (false, 403)] {
        let change = |settings: &mut Settings| settings.native_clients = native_clients;
        let apps = vec![bellwire_home::app()];
        let site = TestSite::start_with(&TestDatabase::Sqlite, apps, change).await;
        assert_eq!(handshake(&site, &[]).await.status, expected, "{native_clients}");
        assert_eq!(handshake(&site, &[("cookie", "a=b")]).await.status, 403, "of a browser");
        assert_eq!(handshake(&site, &[("origin", &site.url(""))]).await.status, 101, "a page");
        site.stop().await;
    }
}

struct Echo;

impl Consumer for Echo {
    type Action = Frame;
    type Event = ();
    type Error = Error;

    async fn receive(&mut self, socket: &mut Socket<Self>, frame: Frame) -> Result<(), Error> {
        socket.send(frame).await
    }
}

async fn echo(_: User, live: Live) -> Response {
    live.run(Echo)
}

fn echo_app() -> App {
    App::new("echo").router(Router::new().route("/ws/echo/", get(echo)))
}

#[apply(on_databases)]
#[tokio::test]
async fn signing_out_closes_only_the_sockets_of_this_browser(database: TestDatabase) {
    let site = TestSite::start(&database, vec![echo_app()]).await;
    assert!(Window::try_open(&site.client(), "/ws/echo/", &site.url("")).await.is_err());
    let mut laptop = site.client();
    laptop.sign_up("Ada").await;
    let mut phone = site.client();
    phone.sign_in("Ada", bellwire_testkit::PASSWORD).await;
    let mut on_laptop = Window::open(&laptop, "/ws/echo/").await;
    let mut on_phone = Window::open(&phone, "/ws/echo/").await;
    laptop.post("/accounts/logout/", &[]).await;
    assert_eq!(on_laptop.closed().await, 1008);
    on_phone.say("still here").await;
    on_phone.hear(&["still here"]).await;
    phone.sign_in("Ada", bellwire_testkit::PASSWORD).await;
    assert_eq!(on_phone.closed().await, 1008, "the session before signing in again");
    site.stop().await;
}
