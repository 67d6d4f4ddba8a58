use std::collections::HashMap;
use std::sync::{Arc, mpsc as blocking};

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot};
use tokio_websockets::{ClientBuilder, Limits, MaybeTlsStream, Message, WebSocketStream};

use crate::PATIENCE;

/// The result of a command, or the browser's reason for refusing it.
pub(crate) type Answer = Result<Value, String>;

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;
type Then = Box<dyn FnOnce(Answer) + Send>;

/// A command of the DevTools protocol, for a page (by its session) or for the browser.
pub(crate) struct Command {
    pub(crate) session: Option<String>,
    pub(crate) method: &'static str,
    pub(crate) parameters: Value,
    pub(crate) then: Then,
}

impl Command {
    /// A command whose answer nobody needs.
    pub(crate) fn unanswered(session: &str, method: &'static str, parameters: Value) -> Self {
        Self { session: Some(session.to_owned()), method, parameters, then: Box::new(drop) }
    }
}

/// Somebody who hears all events, on the thread of the connection.
pub(crate) trait Hears: Send + Sync {
    /// Takes note of an event, of a page (by its session) or of the browser. Returns the commands
    /// that it asks for.
    fn hear(&self, session: Option<&str>, method: &str, parameters: &Value) -> Vec<Command>;
}

/// The connection to a browser's DevTools. It has a thread of its own, because the stories that
/// share it have runtimes of their own.
#[derive(Debug)]
pub(crate) struct Devtools {
    commands: mpsc::UnboundedSender<Command>,
}

impl Devtools {
    pub(crate) async fn connect(address: &str, hears: Arc<dyn Hears>) -> Self {
        let (commands, asked) = mpsc::unbounded_channel();
        let (connected, is_connected) = oneshot::channel();
        let address = address.to_owned();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime").block_on(async move {
                let socket = open(&address).await;
                let _ = connected.send(());
                carry(socket, asked, &*hears).await;
            });
        });
        is_connected.await.expect("the browser's DevTools take connections");
        Self { commands }
    }

    /// Sends a command at once; the future is its answer. Commands are executed in this order.
    pub(crate) fn ask(
        &self,
        session: Option<&str>,
        method: &'static str,
        parameters: Value,
    ) -> impl Future<Output = Answer> + use<> {
        let (answer, answered) = oneshot::channel();
        self.send(session, method, parameters, Box::new(|given| drop(answer.send(given))));
        async { answered.await.unwrap_or_else(|_| gone()) }
    }

    /// As [`ask`](Self::ask), for code that cannot await, such as a destructor.
    pub(crate) fn ask_and_block(
        &self,
        session: Option<&str>,
        method: &'static str,
        parameters: Value,
    ) -> Answer {
        let (answer, answered) = blocking::channel();
        self.send(session, method, parameters, Box::new(move |given| drop(answer.send(given))));
        answered.recv_timeout(PATIENCE).unwrap_or_else(|_| gone())
    }

    fn send(&self, session: Option<&str>, method: &'static str, parameters: Value, then: Then) {
        let session = session.map(str::to_owned);
        // An ended connection drops the command, which is answered by that.
        let _ = self.commands.send(Command { session, method, parameters, then });
    }
}

fn gone() -> Answer {
    Err("the browser is gone".to_owned())
}

async fn open(address: &str) -> Socket {
    let uri = address.parse().expect("an address");
    let opened = ClientBuilder::from_uri(uri).limits(Limits::unlimited()).connect().await;
    opened.unwrap_or_else(|error| panic!("no connection to {address}: {error}")).0
}

/// Carries commands to the browser, and answers and events back, until either side ends it.
async fn carry(socket: Socket, mut commands: mpsc::UnboundedReceiver<Command>, hears: &dyn Hears) {
    let (mut sink, mut stream) = socket.split();
    let (mut number, mut waiting) = (0_u64, HashMap::new());
    loop {
        let sent: Vec<Command> = tokio::select! {
            command = commands.recv() => match command {
                Some(command) => vec![command],
                None => return,
            },
            frame = stream.next() => {
                let Some(Ok(frame)) = frame else { return };
                let Some(Ok(message)) = frame.as_text().map(serde_json::from_str::<Value>) else { continue };
                match message["id"].as_u64().and_then(|id| waiting.remove(&id)) {
                    Some(then) => answer(then, message),
                    None => event(hears, &message),
                }
            }
        };
        for Command { session, method, parameters, then } in sent {
            number += 1;
            waiting.insert(number, then);
            let mut message = json!({ "id": number, "method": method, "params": parameters });
            if let Some(session) = session {
                message["sessionId"] = json!(session);
            }
            if sink.send(Message::text(message.to_string())).await.is_err() {
                return;
            }
        }
    }
}

/// An answer adds no command: the empty list keeps both arms of the loop alike.
fn answer(then: Then, mut message: Value) -> Vec<Command> {
    then(match message.get("error") {
        Some(error) => Err(error.to_string()),
        None => Ok(message["result"].take()),
    });
    Vec::new()
}

fn event(hears: &dyn Hears, message: &Value) -> Vec<Command> {
    let method = message["method"].as_str().unwrap_or_default();
    hears.hear(message["sessionId"].as_str(), method, &message["params"])
}
