//! Tests that bytes beyond ASCII in a header invalidate only the item that contains them.

use axum::Router;
use axum::response::Response;
use axum::routing::get;
use bellwire::{Consumer, Error, Frame, Socket};
use bellwire_site::{App, Live, User};
use bellwire_testkit::{Client, TestDatabase, TestSite, within};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

struct Quiet;

impl Consumer for Quiet {
    type Action = Frame;
    type Event = ();
    type Error = Error;

    async fn receive(&mut self, _: &mut Socket<Self>, _: Frame) -> Result<(), Error> {
        Ok(())
    }
}

async fn socket(_: User, live: Live) -> Response {
    live.protocols(["chat.v1"]).run(Quiet)
}

async fn start() -> TestSite {
    let routes = Router::new()
        .route("/mine/", get(async |user: User| user.name).post(async |user: User| user.name))
        .route("/ws/mine/", get(socket));
    TestSite::start(&TestDatabase::Sqlite, vec![App::new("mine").router(routes)]).await
}

/// The response to a request with these header lines: status line, headers and the beginning of the
/// body.
async fn ask(site: &TestSite, request: &str, lines: &[&[u8]]) -> String {
    let mut stream = TcpStream::connect(site.address()).await.unwrap();
    let head = format!("{request} HTTP/1.1\r\n");
    let mut bytes = head.into_bytes();
    for line in lines {
        bytes.extend_from_slice(line);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(b"\r\n");
    stream.write_all(&bytes).await.unwrap();
    let mut answer = Vec::new();
    while !answer.windows(4).any(|window| window == b"\r\n\r\n") {
        assert_ne!(
            within("an answer", stream.read_buf(&mut answer)).await.unwrap(),
            0,
            "an answer"
        );
    }
    if !answer.starts_with(b"HTTP/1.1 101")
        && !answer.windows(12).any(|window| window == b"event-stream")
    {
        within("the rest", stream.read_to_end(&mut answer)).await.unwrap();
    }
    String::from_utf8_lossy(&answer).into_owned()
}

fn host(site: &TestSite) -> Vec<u8> {
    format!("Host: {}", site.address()).into_bytes()
}

fn origin(site: &TestSite) -> Vec<u8> {
    format!("Origin: http://{}", site.address()).into_bytes()
}

/// A session cookie between two cookies of other applications.
fn cookies(client: &Client) -> Vec<u8> {
    [b"Cookie: lang=fran\xe7ais; ", client.cookies().as_bytes(), "; theme=été".as_bytes()].concat()
}

const CLOSE: &[u8] = b"Connection: close";

const HANDSHAKE: [&[u8]; 4] = [
    b"Connection: \xe9, Upgrade",
    b"Upgrade: \xff, websocket",
    b"Sec-WebSocket-Version: 13",
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
];

#[tokio::test]
async fn a_cookie_with_invalid_bytes_signs_nobody_out() {
    let site = start().await;
    let ada = site.person("Ada").await;
    let (host, origin, cookies) = (host(&site), origin(&site), cookies(&ada));
    let page = ask(&site, "GET /mine/", &[&host, &cookies, CLOSE]).await;
    assert!(page.starts_with("HTTP/1.1 200") && page.ends_with("Ada"), "{page}");
    let handshake = [&[&host[..], &origin, &cookies], &HANDSHAKE[..]].concat();
    let socket = ask(&site, "GET /ws/mine/", &handshake).await;
    assert!(socket.starts_with("HTTP/1.1 101"), "{socket}");
    let accept = &b"Accept: \xe9, text/event-stream"[..];
    let stream = ask(&site, "GET /ws/mine/", &[&host, &origin, &cookies, accept]).await;
    assert!(stream.starts_with("HTTP/1.1 200") && stream.contains("text/event-stream"), "{stream}");
    site.stop().await;
}

#[tokio::test]
async fn a_subprotocol_with_invalid_bytes_does_not_hide_the_others() {
    let site = start().await;
    let ada = site.person("Ada").await;
    let (host, origin, cookies) = (host(&site), origin(&site), cookies(&ada));
    let offer = &b"Sec-WebSocket-Protocol: \xe9, chat.v1"[..];
    let handshake = [&[&host[..], &origin, &cookies, offer], &HANDSHAKE[..]].concat();
    let socket = ask(&site, "GET /ws/mine/", &handshake).await.to_ascii_lowercase();
    assert!(socket.contains("sec-websocket-protocol: chat.v1"), "{socket}");
    site.stop().await;
}

#[tokio::test]
async fn an_accept_header_with_invalid_bytes_still_gets_a_page_with_a_way_back() {
    let site = start().await;
    let (host, origin) = (host(&site), origin(&site));
    let accept = &b"Accept: x/\xff, text/html;q=0.9"[..];
    let nowhere = ask(&site, "GET /nowhere/", &[&host, accept, CLOSE]).await;
    assert!(nowhere.starts_with("HTTP/1.1 404") && nowhere.contains("<title>"), "{nowhere}");
    let referer =
        [b"Referer: http://", site.address().to_string().as_bytes(), b"/mine/?q=\xe7"].concat();
    let length = &b"Content-Length: 0"[..];
    let refused =
        ask(&site, "POST /mine/", &[&host, &origin, accept, &referer, length, CLOSE]).await;
    assert!(refused.starts_with("HTTP/1.1 401"), "{refused}");
    assert!(refused.contains("next=%2Fmine%2F%3Fq%3D%25E7"), "{refused}");
    site.stop().await;
}

#[tokio::test]
async fn an_accept_encoding_header_with_invalid_bytes_still_selects_an_encoding() {
    let site = start().await;
    let path = format!("GET {}/bellwire.js", site.state().build());
    let file = ask(&site, &path, &[&host(&site), b"Accept-Encoding: \xe9, br", CLOSE]).await;
    assert!(file.to_ascii_lowercase().contains("content-encoding: br"), "{}", &file[..400]);
    site.stop().await;
}

#[tokio::test]
async fn an_origin_or_host_with_invalid_bytes_is_refused() {
    let site = start().await;
    let (ours, length) = (host(&site), &b"Content-Length: 0"[..]);
    let origin = &b"Origin: http://127.0.0.1\xe9"[..];
    let refused = ask(&site, "POST /mine/", &[&ours, origin, length, CLOSE]).await;
    assert!(refused.starts_with("HTTP/1.1 403"), "{refused}");
    let host = [&host(&site)[..], b"\xe9"].concat();
    let refused = ask(&site, "GET /", &[&host, CLOSE]).await;
    assert!(refused.starts_with("HTTP/1.1 421"), "{refused}");
    site.stop().await;
}
