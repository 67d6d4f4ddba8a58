use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// What becomes of what is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Line {
    Whole,
    Cut,
    /// Nothing arrives and nobody is told.
    Silent,
}

/// One person's way to the server, which can be cut for real: a browser's own offline mode leaves
/// open sockets alone.
///
/// It is a SOCKS proxy for the person's browser context, so that address, origin and cookies stay
/// as they are and each connection is carried byte by byte.
#[derive(Debug)]
pub struct Cable {
    address: SocketAddr,
    line: Arc<watch::Sender<Line>>,
    lets_sockets: Arc<AtomicBool>,
    task: JoinHandle<()>,
}

impl Cable {
    pub(crate) async fn to(server: SocketAddr) -> Self {
        Self::lay(server, true).await
    }

    /// One with a proxy in it, as some networks have, that refuses every WebSocket.
    pub(crate) async fn without_sockets_to(server: SocketAddr) -> Self {
        Self::lay(server, false).await
    }

    async fn lay(server: SocketAddr, lets_sockets: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let line = Arc::new(watch::Sender::new(Line::Whole));
        let lets_sockets = Arc::new(AtomicBool::new(lets_sockets));
        let (carrying, lets) = (line.clone(), lets_sockets.clone());
        let task = tokio::spawn(async move {
            while let Ok((browser, _)) = listener.accept().await {
                tokio::spawn(carry(browser, server, lets.clone(), carrying.subscribe()));
            }
        });
        Self { address, line, lets_sockets, task }
    }

    /// Where the proxy listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Ends every connection, and takes no new one.
    pub fn cut(&self) {
        self.line.send_replace(Line::Cut);
    }

    /// From now on every packet vanishes, both ways: no connection ends, and none that is begun
    /// gets an answer. When the cable is mended, the connections of now are reset, as by a router
    /// that has forgotten them, and new ones are carried.
    pub fn loses_everything(&self) {
        self.line.send_replace(Line::Silent);
    }

    /// Takes the proxy out.
    pub fn lets_sockets_through(&self) {
        self.lets_sockets.store(true, Ordering::Relaxed);
    }

    /// Takes connections again.
    pub fn mend(&self) {
        self.line.send_replace(Line::Whole);
    }
}

impl Drop for Cable {
    fn drop(&mut self) {
        self.cut();
        self.task.abort();
    }
}

/// Carries one connection until either side ends it or the cable is cut.
async fn carry(
    mut browser: TcpStream,
    server: SocketAddr,
    lets_sockets: Arc<AtomicBool>,
    mut line: watch::Receiver<Line>,
) {
    // Its first packet is sent again and again, and comes through at last.
    if line.wait_for(|line| *line != Line::Silent).await.is_err() {
        return;
    }
    let both_ways = async {
        if !is_asked_for(server, &mut browser).await.unwrap_or(false) {
            return;
        }
        if !lets_sockets.load(Ordering::Relaxed) && asks_for_a_socket(&browser).await {
            let _ = browser.write_all(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n").await;
            return;
        }
        if let Ok(mut server) = TcpStream::connect(server).await {
            // How a connection ends is the browser's and the server's affair.
            let _ = copy_bidirectional(&mut browser, &mut server).await;
        }
    };
    // Pinned out here, so that both ends stay open when nothing is carried any more.
    let mut both_ways = pin!(both_ways);
    tokio::select! {
        biased;
        _ = line.wait_for(|line| *line != Line::Whole) => {}
        () = &mut both_ways => return,
    }
    let _ = line.wait_for(|line| *line != Line::Silent).await;
}

/// Answers the greeting and the request of SOCKS 5. Whether they ask for the server, and for
/// nothing else.
async fn is_asked_for(server: SocketAddr, browser: &mut TcpStream) -> std::io::Result<bool> {
    const NO_SECRET: [u8; 2] = [5, 0];
    const CONNECTED: [u8; 10] = [5, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    let [_version, methods] = some_bytes(browser).await?;
    browser.read_exact(&mut vec![0; methods.into()]).await?;
    browser.write_all(&NO_SECRET).await?;
    let [version, command, _, kind] = some_bytes(browser).await?;
    if [version, command, kind] != [5, 1, 3] {
        return Ok(false); // browsers ask for a connection (1) to a host by its name (3)
    }
    let [length] = some_bytes(browser).await?;
    let mut host = vec![0; length.into()];
    browser.read_exact(&mut host).await?;
    let port = u16::from_be_bytes(some_bytes(browser).await?);
    if host != server.ip().to_string().as_bytes() || port != server.port() {
        return Ok(false);
    }
    browser.write_all(&CONNECTED).await?;
    Ok(true)
}

async fn some_bytes<const N: usize>(browser: &mut TcpStream) -> std::io::Result<[u8; N]> {
    let mut bytes = [0; N];
    browser.read_exact(&mut bytes).await?;
    Ok(bytes)
}

/// Whether the first request of a connection does. Browsers open a connection of its own for each
/// socket.
async fn asks_for_a_socket(browser: &TcpStream) -> bool {
    let mut head = [0; 16 * 1024];
    loop {
        let Ok(read @ 1..) = browser.peek(&mut head).await else { return false };
        let text = String::from_utf8_lossy(&head[..read]).to_ascii_lowercase();
        if text.contains("\r\n\r\n") || read == head.len() {
            return text.contains("\r\nupgrade: websocket\r\n");
        }
        // The head comes in one piece but for a busy moment.
        tokio::task::yield_now().await;
    }
}
