//! Unmodified htmx with its own WebSocket extension, and without bellwire.js, as a chat client.

use axum::Router;
use axum::response::Html;
use axum::routing::get;
use bellwire_browser_tests::{Person, Site};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// A page of another origin on the same host, which the site is configured to trust.
struct OtherSite {
    listener: TcpListener,
    origin: String,
}

/// Stops the other site when dropped.
struct Running {
    page: String,
    task: JoinHandle<()>,
}

impl OtherSite {
    async fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let origin = format!("http://{}", listener.local_addr().expect("an address"));
        Self { listener, origin }
    }

    fn serve(self, page: String, scripts: [&'static str; 2]) -> Running {
        let address = format!("{}/", self.origin);
        let script = |text: &'static str| {
            get(move || async move { ([("content-type", "text/javascript")], text) })
        };
        let routes = Router::new()
            .route("/", get(move || async move { Html(page) }))
            .route("/htmx.js", script(scripts[0]))
            .route("/ws.js", script(scripts[1]));
        let task = tokio::spawn(async move {
            axum::serve(self.listener, routes).await.expect("the other site serves");
        });
        Running { page: address, task }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The page: a list, a form, and the attributes of one htmx version that connect them.
fn page(address: &str, connect: &str, send: &str) -> String {
    let connect = connect.replace("ADDRESS", address);
    format!(
        "<!doctype html><html lang=en><meta charset=utf-8><title>plain htmx</title><link rel=icon href='data:,'>
         <script src=/htmx.js></script><script src=/ws.js></script>
         <body><main {connect}><ol id=messages-list></ol><p id=error--message></p>
         <form id=composer {send}><input id=message name=message><button type=submit>Send</button></form></main>"
    )
}

/// Ben uses the plain page, Ada the site's page. Each sees the other's messages exactly once.
async fn chats(scripts: [&'static str; 2], connect: &str, send: &str) {
    let other = OtherSite::new().await;
    let site = Site::open_with(&[("BELLWIRE_ORIGINS", &other.origin)]).await;
    let (ada, ben) = (site.person("Ada").await, site.person("Ben").await);
    ada.becomes_administrator().await;
    ada.opens_room("Garden").await;
    ada.is_connected().await;
    ada.says("said before Ben came").await;
    ada.sees("said before Ben came").await;
    ben.signs_up().await;

    let address = format!("ws://{}/ws/chat/garden/?dialect=htmx", site.server.address());
    let running = other.serve(page(&address, connect, send), scripts);
    ben.visit(&running.page).await;
    ben.sees("said before Ben came").await;
    later_message_arrives(&ada, &ben).await;

    ben.says("hello from plain htmx").await;
    ada.sees("hello from plain htmx").await;
    ben.sees("hello from plain htmx").await;
    assert_eq!(ada.messages().await, ben.messages().await);
}

/// A later message of Ada arrives as well.
async fn later_message_arrives(ada: &Person, ben: &Person) {
    ada.says("hello, plain htmx").await;
    ben.sees("hello, plain htmx").await;
}

#[tokio::test]
async fn unmodified_htmx_2_with_its_ws_extension_can_chat() {
    let scripts = [
        include_str!("../../../../apps/playground/static/playground/htmx/2.0.11/htmx.min.js"),
        include_str!("../../../../apps/playground/static/playground/htmx/ws-2.0.4/ws.js"),
    ];
    chats(scripts, "hx-ext=ws ws-connect='ADDRESS'", "ws-send").await;
}

#[tokio::test]
async fn unmodified_htmx_4_with_hx_ws_can_chat() {
    let scripts = [
        include_str!("../../../../apps/playground/static/playground/htmx/4.0.1/htmx.min.js"),
        include_str!("../../../../apps/playground/static/playground/htmx/4.0.1/hx-ws.min.js"),
    ];
    chats(scripts, "hx-ws:connect='ADDRESS'", "hx-ws:send").await;
}
