use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// The state of the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Link {
    Open,
    Cut,
    /// Packets are dropped, without an error on either side.
    Silent,
}

/// The connection of one person to the server, which can be cut. The browser's offline mode would
/// keep open sockets connected.
///
/// It is a SOCKS proxy for the person's browser context: address, origin and cookies stay the same,
/// and each connection is forwarded byte by byte.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    link: Arc<watch::Sender<Link>>,
    allows_websockets: Arc<AtomicBool>,
    task: JoinHandle<()>,
}

impl Proxy {
    pub(crate) async fn start(server: SocketAddr) -> Self {
        Self::spawn(server, true).await
    }

    /// A proxy that refuses every WebSocket, as on some networks.
    pub(crate) async fn start_without_websockets(server: SocketAddr) -> Self {
        Self::spawn(server, false).await
    }

    async fn spawn(server: SocketAddr, allows_websockets: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let link = Arc::new(watch::Sender::new(Link::Open));
        let allows_websockets = Arc::new(AtomicBool::new(allows_websockets));
        let (forwarding, allow) = (link.clone(), allows_websockets.clone());
        let task = tokio::spawn(async move {
            while let Ok((browser, _)) = listener.accept().await {
                tokio::spawn(forward(browser, server, allow.clone(), forwarding.subscribe()));
            }
        });
        Self { address, link, allows_websockets, task }
    }

    /// The address that the proxy listens on.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Closes every connection, and accepts no new one.
    pub fn cut(&self) {
        self.link.send_replace(Link::Cut);
    }

    /// Drops every packet from now on, in both directions: no connection ends, and no new one gets
    /// a reply. [`restore`](Self::restore) resets the existing connections, as a router without
    /// state does, and forwards new ones.
    pub fn drop_all_packets(&self) {
        self.link.send_replace(Link::Silent);
    }

    /// Stops refusing WebSockets.
    pub fn allow_websockets(&self) {
        self.allows_websockets.store(true, Ordering::Relaxed);
    }

    /// Forwards connections again.
    pub fn restore(&self) {
        self.link.send_replace(Link::Open);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.cut();
        self.task.abort();
    }
}

/// Forwards one connection until either side ends it or the proxy is cut.
async fn forward(
    mut browser: TcpStream,
    server: SocketAddr,
    allows_websockets: Arc<AtomicBool>,
    mut link: watch::Receiver<Link>,
) {
    // TCP resends the first packet until the proxy forwards it.
    if link.wait_for(|link| *link != Link::Silent).await.is_err() {
        return;
    }
    let both_ways = async {
        if !accept_request(server, &mut browser).await.unwrap_or(false) {
            return;
        }
        if !allows_websockets.load(Ordering::Relaxed) && is_websocket_request(&browser).await {
            let _ = browser.write_all(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n").await;
            return;
        }
        if let Ok(mut server) = TcpStream::connect(server).await {
            // Errors of the connection are handled by the browser and the server.
            let _ = copy_bidirectional(&mut browser, &mut server).await;
        }
    };
    // Pinned outside of `select!`, so that both ends stay open after forwarding has stopped.
    let mut both_ways = pin!(both_ways);
    tokio::select! {
        biased;
        _ = link.wait_for(|link| *link != Link::Open) => {}
        () = &mut both_ways => return,
    }
    let _ = link.wait_for(|link| *link != Link::Silent).await;
}

/// Answers the greeting and the request of SOCKS 5. Returns whether the request names the server.
async fn accept_request(server: SocketAddr, browser: &mut TcpStream) -> std::io::Result<bool> {
    const NO_SECRET: [u8; 2] = [5, 0];
    const CONNECTED: [u8; 10] = [5, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    let [_version, methods] = read_bytes(browser).await?;
    browser.read_exact(&mut vec![0; methods.into()]).await?;
    browser.write_all(&NO_SECRET).await?;
    let [version, command, _, kind] = read_bytes(browser).await?;
    if [version, command, kind] != [5, 1, 3] {
        return Ok(false); // browsers request a connection (1) to a host name (3)
    }
    let [length] = read_bytes(browser).await?;
    let mut host = vec![0; length.into()];
    browser.read_exact(&mut host).await?;
    let port = u16::from_be_bytes(read_bytes(browser).await?);
    if host != server.ip().to_string().as_bytes() || port != server.port() {
        return Ok(false);
    }
    browser.write_all(&CONNECTED).await?;
    Ok(true)
}

async fn read_bytes<const N: usize>(browser: &mut TcpStream) -> std::io::Result<[u8; N]> {
    let mut bytes = [0; N];
    browser.read_exact(&mut bytes).await?;
    Ok(bytes)
}

/// Whether the first request of a connection opens a WebSocket. Browsers open a separate connection
/// for each.
async fn is_websocket_request(browser: &TcpStream) -> bool {
    let mut head = [0; 16 * 1024];
    loop {
        let Ok(read @ 1..) = browser.peek(&mut head).await else { return false };
        let text = String::from_utf8_lossy(&head[..read]).to_ascii_lowercase();
        if text.contains("\r\n\r\n") || read == head.len() {
            return text.contains("\r\nupgrade: websocket\r\n");
        }
        // The head usually arrives in one packet.
        tokio::task::yield_now().await;
    }
}
