//! Actions that arrive together: no answer waits for the handler of the next action.

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
enum SlowAction {
    Say {
        text: String,
    },
    Refuse {},
    Fail {},
    /// Waits until the test notifies it.
    Wait {},
    /// Blocks the thread until the test unblocks it.
    Block {},
}
impl Action for SlowAction {}

#[derive(Clone)]
struct Slow {
    go: Arc<Notify>,
    block: Arc<Mutex<blocking::Receiver<()>>>,
}

impl Consumer for Slow {
    type Action = SlowAction;
    type Event = ();

    async fn receive(&mut self, socket: &mut Socket, action: SlowAction) -> Result<(), Error> {
        match action {
            SlowAction::Say { text } => socket.send_text(text).await,
            SlowAction::Refuse {} => Err(Error::refused("no")),
            SlowAction::Fail {} => Err("x".parse::<u8>().unwrap_err().into()),
            SlowAction::Wait {} => {
                self.go.notified().await;
                socket.send_text("waited").await
            }
            SlowAction::Block {} => {
                // Blocks this thread, but not the runtime's other tasks.
                let block = || self.block.lock().unwrap().recv_timeout(PATIENCE);
                tokio::task::block_in_place(block).expect("the test unblocks it");
                socket.send_text("blocked").await
            }
        }
    }
}

fn actions(actions: &[&str]) -> Vec<u8> {
    actions.iter().flat_map(|action| frame(TEXT, action.as_bytes())).collect()
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
async fn an_answer_is_sent_while_the_handler_of_the_next_action_waits() {
    let (server, go, _unblock) = start().await;
    for (first, answer) in [(SAY, "said"), (REFUSE, "no"), (FAIL, "wrong on the server")] {
        let mut socket = server.open("/ws/").await;
        // The first action of a connection is always answered at once.
        socket.write_all(&actions(&[SAY, first, WAIT, WAIT])).await.unwrap();
        assert_eq!(read_text(&mut socket).await, "said");
        let received = read_text(&mut socket).await;
        assert!(received.contains(answer), "{received}");
        for _ in 0..2 {
            go.notify_one();
            assert_eq!(read_text(&mut socket).await, "waited");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_is_sent_before_the_handler_of_the_next_action_starts() {
    let (server, _go, unblock) = start().await;
    let mut socket = server.open("/ws/").await;
    socket.write_all(&actions(&[SAY, REFUSE, BLOCK])).await.unwrap();
    assert_eq!(read_text(&mut socket).await, "said");
    assert!(read_text(&mut socket).await.contains("no"));
    unblock.send(()).unwrap();
    assert_eq!(within("the end", read_text(&mut socket)).await, "blocked");
}
