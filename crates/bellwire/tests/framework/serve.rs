//! The accept loop: client addresses, identities, the connection limit and the shutdown.

use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::Response;
use axum::routing::get;
use bellwire::testing::{PATIENCE, within};
use bellwire::{
    Bellwire, ClientAddress, Consumer, Error, EventStream, Frame, Identity, ServeLimits, Socket,
    TrustedProxies, Upgrade, client_address, serve,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::support::{HANDSHAKE, bellwire, read_close, read_text};

/// Sends the identity of its connection to the browser.
struct Whoami;

impl Consumer for Whoami {
    type Action = Frame;
    type Event = ();
    type Error = Error;

    async fn connect(&mut self, socket: &mut Socket<Self>) -> Result<(), Error> {
        let scope = socket.scope();
        let identity = format!("{:?} {:?} {:?}", scope.person(), scope.session(), scope.address());
        socket.send_text(identity).await
    }

    async fn receive(&mut self, _: &mut Socket<Self>, _: Frame) -> Result<(), Error> {
        Ok(())
    }
}

struct Running {
    address: SocketAddr,
    end: oneshot::Sender<()>,
    served: JoinHandle<()>,
}

impl Running {
    async fn start(routes: Router<Bellwire>, limits: ServeLimits) -> Self {
        let (bellwire, listener) = (bellwire(), TcpListener::bind("127.0.0.1:0").await.unwrap());
        let address = listener.local_addr().unwrap();
        let (end, ended) = oneshot::channel::<()>();
        let server = serve(listener, routes.with_state(bellwire.clone()), &bellwire).limits(limits);
        let served = tokio::spawn(server.until(async {
            let _ = ended.await;
        }));
        Self { address, end, served }
    }

    /// Sends a request and returns the stream.
    async fn request(&self, path: &str, headers: &[(&str, &str)]) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let headers: String =
            headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let request = format!("GET {path} HTTP/1.1\r\nHost: test\r\n{headers}\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        stream
    }

    async fn get(&self, path: &str, headers: &[(&str, &str)]) -> String {
        let mut stream = self.request(path, &[headers, &[("Connection", "close")]].concat()).await;
        let mut response = String::new();
        within("a response", stream.read_to_string(&mut response)).await.unwrap();
        response
    }

    async fn open(&self, path: &str) -> TcpStream {
        let mut stream = self.request(path, HANDSHAKE).await;
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(within("the handshake", stream.read_u8()).await.unwrap());
        }
        assert!(head.starts_with(b"HTTP/1.1 101"), "{}", String::from_utf8_lossy(&head));
        stream
    }

    async fn stop(self) {
        drop(self.end);
        within("the shutdown", self.served).await.unwrap();
    }
}

async fn address(address: ClientAddress) -> String {
    address.ip().to_string()
}

async fn socket(upgrade: Upgrade) -> Response {
    upgrade.live().run(Whoami)
}

async fn stream(stream: EventStream) -> Response {
    stream.live().run(Whoami)
}

fn routes() -> Router<Bellwire> {
    Router::new().route("/", get(address)).route("/ws/", get(socket)).route("/events/", get(stream))
}

const FORWARDED: &[(&str, &str)] = &[("X-Forwarded-For", "203.0.113.9")];

#[tokio::test]
async fn the_address_of_a_client_is_the_peers_unless_a_trusted_proxy_reports_another() {
    let server = Running::start(routes(), ServeLimits::default()).await;
    assert!(server.get("/", FORWARDED).await.ends_with("\r\n\r\n127.0.0.1"), "no proxy is trusted");
    server.stop().await;
    let proxies = TrustedProxies::new(["127.0.0.0/8".parse().unwrap()]);
    let behind = routes().layer(from_fn_with_state(proxies, client_address));
    let server = Running::start(behind, ServeLimits::default()).await;
    assert!(server.get("/", FORWARDED).await.ends_with("\r\n\r\n203.0.113.9"));
    assert!(server.get("/", &[]).await.ends_with("\r\n\r\n127.0.0.1"));
    server.stop().await;
}

async fn authenticate(mut request: Request, next: Next) -> Response {
    let address = IpAddr::from([192, 0, 2, 1]);
    let identity = Identity::default().with_person("ada").with_session("s1").with_address(address);
    request.extensions_mut().insert(identity);
    next.run(request).await
}

#[tokio::test]
async fn a_connection_has_the_identity_that_middleware_set_on_its_request() {
    let ada = r#"Some("ada") Some("s1") Some(192.0.2.1)"#;
    for (routes, expected) in
        [(routes().layer(from_fn(authenticate)), ada), (routes(), "None None None")]
    {
        let server = Running::start(routes, ServeLimits::default()).await;
        assert_eq!(read_text(&mut server.open("/ws/").await).await, expected);
        let mut events = server.request("/events/", &[("Accept", "text/event-stream")]).await;
        let mut received = Vec::new();
        while !String::from_utf8_lossy(&received).contains(expected) {
            within("the event", events.read_buf(&mut received)).await.unwrap();
        }
        drop(events);
        server.stop().await;
    }
}

#[tokio::test]
async fn a_shutdown_closes_sockets_with_1012_and_accepts_no_new_connections() {
    let server = Running::start(routes(), ServeLimits::default()).await;
    let mut socket = server.open("/ws/").await;
    read_text(&mut socket).await;
    let address = server.address;
    let reader = tokio::spawn(async move { read_close(&mut socket).await });
    server.stop().await;
    assert_eq!(within("the close", reader).await.unwrap().0, 1012);
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn above_the_cap_a_connection_waits_until_a_header_timeout_frees_a_slot() {
    let limits = ServeLimits {
        connections: 1,
        headers: Duration::from_millis(200),
        ..ServeLimits::default()
    };
    let server = Running::start(routes(), limits).await;
    let mut silent = TcpStream::connect(server.address).await.unwrap();
    silent.write_all(b"GET / HTTP/1.1\r\n").await.unwrap();
    let mut rest = Vec::new();
    {
        let mut response = pin!(server.get("/", &[]));
        tokio::select! {
            biased;
            ended = within("the header timeout", silent.read_to_end(&mut rest)) => {
                ended.unwrap();
            }
            response = &mut response => panic!("served above the cap: {response}"),
        }
        assert!(response.await.starts_with("HTTP/1.1 200"));
    }
    server.stop().await;
}

#[tokio::test]
async fn axums_own_server_ends_although_a_stream_and_a_socket_are_open() {
    let (bellwire, listener) = (bellwire(), TcpListener::bind("127.0.0.1:0").await.unwrap());
    let address = listener.local_addr().unwrap();
    let (end, ended) = oneshot::channel::<()>();
    let signal = async { drop(ended.await) };
    let server = axum::serve(listener, routes().with_state(bellwire.clone()))
        .with_graceful_shutdown(bellwire.closing(signal, PATIENCE))
        .into_future();
    let running = Running { address, end, served: tokio::spawn(async { server.await.unwrap() }) };
    let mut socket = running.open("/ws/").await;
    read_text(&mut socket).await;
    let mut events = running.request("/events/", &[("Accept", "text/event-stream")]).await;
    let mut received = Vec::new();
    while !String::from_utf8_lossy(&received).contains("None None None") {
        within("the event", events.read_buf(&mut received)).await.unwrap();
    }
    let reader = tokio::spawn(async move { read_close(&mut socket).await });
    running.stop().await;
    let (code, reason) = within("the close", reader).await.unwrap();
    assert!(code == 1012 && reason.starts_with("retry="), "{code} {reason}");
    within("the end of the stream", events.read_to_end(&mut received)).await.unwrap();
    let received = String::from_utf8(received).unwrap();
    assert!(received.contains(r#"data: {"code":1012,"reason":"retry="#), "{received}");
    assert!(received.ends_with("\r\n0\r\n\r\n"), "the response is complete: {received}");
    assert!(bellwire.shutdown(PATIENCE).await, "nothing is left");
}
