//! Asks that come together: no answer waits for the handler of the next ask.

use std::sync::{Arc, Mutex, mpsc as blocking};

use axum::Router;
use axum::response::Response;
use axum::routing::get;
use bellwire::testing::{PATIENCE, within};
use bellwire::{Action, Consumer, Error, Socket, Upgrade};
use tokio::io::AsyncWriteExt;
use tokio::sync::{Notify, mpsc};

use crate::support::{Server, TEXT, bellwire, frame, read_text};

#[derive(serde::Deserialize)]
#[serde(tag = "action", content = "data")]
enum Ask {
    Say {
        text: String,
    },
    Refuse {},
    Fail {},
    /// Waits for the test.
    Wait {},
    /// Works without a wait until the test lets it go on.
    Block {},
}
impl Action for Ask {}

#[derive(Clone)]
struct Slow {
    go: Arc<Notify>,
    block: Arc<Mutex<blocking::Receiver<()>>>,
}

impl Consumer for Slow {
    type Action = Ask;
    type Event = ();

    async fn receive(&mut self, socket: &mut Socket, ask: Ask) -> Result<(), Error> {
        match ask {
            Ask::Say { text } => socket.send_text(text).await,
            Ask::Refuse {} => Err(Error::refused("no")),
            Ask::Fail {} => Err("x".parse::<u8>().unwrap_err().into()),
            Ask::Wait {} => {
                self.go.notified().await;
                socket.send_text("waited").await
            }
            Ask::Block {} => {
                // The thread is blocked, and the runtime's other work is not.
                let block = || self.block.lock().unwrap().recv_timeout(PATIENCE);
                tokio::task::block_in_place(block).expect("the test goes on meanwhile");
                socket.send_text("blocked").await
            }
        }
    }
}

fn asks(asks: &[&str]) -> Vec<u8> {
    asks.iter().flat_map(|ask| frame(TEXT, ask.as_bytes())).collect()
}

const SAY: &str = r#"{"action":"Say","data":{"text":"said"}}"#;
const REFUSE: &str = r#"{"action":"Refuse","data":{}}"#;
const FAIL: &str = r#"{"action":"Fail","data":{}}"#;
const WAIT: &str = r#"{"action":"Wait","data":{}}"#;
const BLOCK: &str = r#"{"action":"Block","data":{}}"#;

async fn start() -> (Server, Arc<Notify>, blocking::Sender<()>) {
    let (go, (unblock, block)) = (Arc::<Notify>::default(), blocking::channel());
    let slow = Slow { go: go.clone(), block: Arc::new(Mutex::new(block)) };
    let live = async move |upgrade: Upgrade| -> Response { upgrade.run(slow.clone()) };
    let bellwire = bellwire();
    let router = Router::new().route("/ws/", get(live)).with_state(bellwire.clone());
    (Server::serve(bellwire, mpsc::unbounded_channel().1, router).await, go, unblock)
}

#[tokio::test]
async fn an_answer_leaves_when_the_handler_of_the_next_ask_waits() {
    let (server, go, _unblock) = start().await;
    for (first, answer) in [(SAY, "said"), (REFUSE, "no"), (FAIL, "wrong on our side")] {
        let mut socket = server.open("/ws/").await;
        // The first ask of a connection is answered in any case.
        socket.write_all(&asks(&[SAY, first, WAIT, WAIT])).await.unwrap();
        assert_eq!(read_text(&mut socket).await, "said");
        let heard = read_text(&mut socket).await;
        assert!(heard.contains(answer), "{heard}");
        for _ in 0..2 {
            go.notify_one();
            assert_eq!(read_text(&mut socket).await, "waited");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_leaves_before_the_handler_of_the_next_ask_begins() {
    let (server, _go, unblock) = start().await;
    let mut socket = server.open("/ws/").await;
    socket.write_all(&asks(&[SAY, REFUSE, BLOCK])).await.unwrap();
    assert_eq!(read_text(&mut socket).await, "said");
    assert!(read_text(&mut socket).await.contains("no"));
    unblock.send(()).unwrap();
    assert_eq!(within("the end", read_text(&mut socket)).await, "blocked");
}
