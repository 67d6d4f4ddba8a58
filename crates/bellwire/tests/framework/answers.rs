//! Answers to actions: their place among what the action publishes, and actions that arrive
//! together.

use std::sync::{Arc, Mutex, mpsc as blocking};

use axum::Router;
use axum::response::Response;
use axum::routing::get;
use bellwire::testing::{Communicator, PATIENCE, within};
use bellwire::{Action, Close, Consumer, Dialect, Error, Html, Live, Patch, Socket, Topic};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::sync::{Notify, mpsc};

use crate::support::{Server, TEXT, bellwire, frame, read_text};

const TALK: Topic<u8> = Topic::new("talk");
const JOURNAL: Topic<u8> = Topic::new("journal");

#[derive(Action)]
enum TalkAction {
    /// Publishes the text in every way: to this page, to a group, and as changes of a feed.
    #[action(form)]
    Say {
        text: String,
    },
    Refuse {},
    Fail {},
    Leave {},
}

/// A member of a group and a follower of a journal, to both of which it publishes.
struct Talker;

impl Consumer for Talker {
    type Action = TalkAction;
    type Event = ();
    type Error = Error;

    async fn connect(&mut self, socket: &mut Socket<Self>) -> Result<(), Error> {
        socket.join(TALK.of(1));
        let journal = socket.layer().journal(JOURNAL.of(1), 100);
        socket.follow(&journal);
        Ok(())
    }

    async fn receive(
        &mut self,
        socket: &mut Socket<Self>,
        action: TalkAction,
    ) -> Result<(), Error> {
        let patch = |selector: &'static str, text: &str| Patch::append(selector, Html::text(text));
        match action {
            TalkAction::Say { text } => {
                socket.patch(patch("#own", &text)).await?;
                let layer = socket.layer().clone();
                layer.group(TALK.of(1)).patch(patch("#group", &text));
                // They are delivered as a batch.
                let journal = layer.journal(JOURNAL.of(1), 100);
                journal.append(patch("#first", &text));
                journal.append(patch("#second", &text));
                Ok(())
            }
            TalkAction::Refuse {} => Err(Error::refuse("text", "No.")),
            TalkAction::Fail {} => Err(Error::internal(anyhow::anyhow!("a test's fault"))),
            TalkAction::Leave {} => Err(Close::policy("out").into()),
        }
    }
}

async fn receive_selectors(page: &mut Communicator, count: usize) -> Vec<String> {
    let mut selectors = Vec::new();
    for _ in 0..count {
        let frame: Value = page.receive_json().await;
        selectors.push(frame["selector"].as_str().unwrap_or_default().to_owned());
    }
    selectors
}

#[tokio::test]
async fn an_action_with_a_client_id_is_answered_after_what_it_published() {
    let bellwire = bellwire();
    let mut other = Communicator::connect(&bellwire, Talker).await;
    let mut page = Communicator::connect(&bellwire, Talker).await;
    for (action, id) in [
        (json!({"action": "Say", "data": {"text": "x", "client_id": "in-data"}}), "in-data"),
        (json!({"action": "Say", "data": {"text": "x"}, "client_id": "beside"}), "beside"),
        (json!({"text": "x", "client_id": "a form", "HEADERS": {}}), "a form"),
    ] {
        page.send_json(&action).await;
        let selectors = receive_selectors(&mut page, 4).await;
        assert_eq!(selectors, ["#own", "#group", "#first", "#second"]);
        assert_eq!(page.receive_json::<Value>().await, json!({"answer": id}));
        page.receive_nothing().await;
        assert_eq!(receive_selectors(&mut other, 3).await, ["#group", "#first", "#second"]);
        other.receive_nothing().await;
    }
    let builder = Communicator::to(&bellwire, "/").dialect(Dialect::Htmx);
    let mut page = builder.connect(Talker).await;
    page.send_json(&json!({"action": "Say", "data": {"text": "x", "client_id": "<c>"}})).await;
    for selector in ["#own", "#group", "#first"] {
        let frame = page.receive_text().await;
        assert!(frame.contains(&format!("beforeend:{selector}")), "{frame}");
    }
    page.receive_text().await;
    assert_eq!(
        page.receive_text().await,
        r#"<div hx-swap-oob="none:body" data-bw-answer="&lt;c&gt;"></div>"#
    );
    page.receive_nothing().await;
}

#[tokio::test]
async fn an_action_without_a_client_id_is_not_answered() {
    let mut page = Communicator::connect(&bellwire(), Talker).await;
    page.send_json(&json!({"action": "Say", "data": {"text": "x"}})).await;
    receive_selectors(&mut page, 4).await;
    page.receive_nothing().await;
}

#[tokio::test]
async fn an_error_of_a_handler_answers_its_action_in_place_of_the_answer() {
    let mut page = Communicator::connect(&bellwire(), Talker).await;
    let fault = "Something went wrong on the server. The error has been logged.";
    for (name, answer) in [
        ("Refuse", json!({"error": "No.", "field": "text", "client_id": "c-1"})),
        ("Fail", json!({"error": fault, "client_id": "c-1"})),
        (
            "Dance",
            json!({"error": "Unknown action `Dance`.", "field": "action", "client_id": "c-1"}),
        ),
    ] {
        page.send_json(&json!({"action": name, "data": {"client_id": "c-1"}})).await;
        assert_eq!(page.receive_json::<Value>().await, answer);
        page.receive_nothing().await;
    }
    page.send_json(&json!({"action": "Leave", "data": {"client_id": "c-1"}})).await;
    assert_eq!(page.receive_until_closed().await, (vec![], Close::policy("out")));
}

#[derive(Action)]
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

#[derive(Clone)]
struct Slow {
    go: Arc<Notify>,
    block: Arc<Mutex<blocking::Receiver<()>>>,
}

impl Consumer for Slow {
    type Action = SlowAction;
    type Event = ();
    type Error = Error;

    async fn receive(
        &mut self,
        socket: &mut Socket<Self>,
        action: SlowAction,
    ) -> Result<(), Error> {
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
    let live = async move |live: Live| -> Response { live.run(slow.clone()) };
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
