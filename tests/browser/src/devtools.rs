use std::collections::HashMap;
use std::sync::{Arc, mpsc as blocking};

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot};
use tokio_websockets::{ClientBuilder, Limits, MaybeTlsStream, Message, WebSocketStream};

use crate::TEST_TIMEOUT;

/// The result of a command, or the browser's reason for refusing it.
pub(crate) type CommandResult = Result<Value, String>;

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;
type Callback = Box<dyn FnOnce(CommandResult) + Send>;

/// A command of the DevTools protocol, for a page (by its session) or for the browser.
pub(crate) struct Command {
    pub(crate) session: Option<String>,
    pub(crate) method: &'static str,
    pub(crate) parameters: Value,
    pub(crate) callback: Callback,
}

impl Command {
    /// A command whose result is ignored.
    pub(crate) fn unanswered(session: &str, method: &'static str, parameters: Value) -> Self {
        Self { session: Some(session.to_owned()), method, parameters, callback: Box::new(drop) }
    }
}

/// Receives all events, on the thread of the connection.
pub(crate) trait EventHandler: Send + Sync {
    /// Handles an event of a page (by its session) or of the browser. Returns the commands to send
    /// in response.
    fn handle_event(&self, session: Option<&str>, method: &str, parameters: &Value)
    -> Vec<Command>;
}

/// The connection to a browser's DevTools. It has its own thread, because the stories that share it
/// have separate runtimes.
#[derive(Debug)]
pub(crate) struct Devtools {
    commands: mpsc::UnboundedSender<Command>,
}

impl Devtools {
    pub(crate) async fn connect(address: &str, handler: Arc<dyn EventHandler>) -> Self {
        let (commands, command_receiver) = mpsc::unbounded_channel();
        let (connected, is_connected) = oneshot::channel();
        let address = address.to_owned();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime").block_on(async move {
                let socket = open(&address).await;
                let _ = connected.send(());
                run(socket, command_receiver, &*handler).await;
            });
        });
        is_connected.await.expect("the browser's DevTools take connections");
        Self { commands }
    }

    /// Sends a command immediately; the future returns its result. Commands are executed in order.
    pub(crate) fn call(
        &self,
        session: Option<&str>,
        method: &'static str,
        parameters: Value,
    ) -> impl Future<Output = CommandResult> + use<> {
        let (sender, receiver) = oneshot::channel();
        self.send(session, method, parameters, Box::new(|result| drop(sender.send(result))));
        async { receiver.await.unwrap_or_else(|_| disconnected()) }
    }

    /// The same as [`call`](Self::call), for code that cannot await, such as a destructor.
    pub(crate) fn call_blocking(
        &self,
        session: Option<&str>,
        method: &'static str,
        parameters: Value,
    ) -> CommandResult {
        let (sender, receiver) = blocking::channel();
        self.send(session, method, parameters, Box::new(move |result| drop(sender.send(result))));
        receiver.recv_timeout(TEST_TIMEOUT).unwrap_or_else(|_| disconnected())
    }

    fn send(
        &self,
        session: Option<&str>,
        method: &'static str,
        parameters: Value,
        callback: Callback,
    ) {
        let session = session.map(str::to_owned);
        // If the connection has ended, the command is dropped, which disconnects the receiver.
        let _ = self.commands.send(Command { session, method, parameters, callback });
    }
}

fn disconnected() -> CommandResult {
    Err("the browser has ended".to_owned())
}

async fn open(address: &str) -> Socket {
    let uri = address.parse().expect("an address");
    let opened = ClientBuilder::from_uri(uri).limits(Limits::unlimited()).connect().await;
    opened.unwrap_or_else(|error| panic!("no connection to {address}: {error}")).0
}

/// Sends commands to the browser, and dispatches results and events, until either side ends the
/// connection.
async fn run(
    socket: Socket,
    mut commands: mpsc::UnboundedReceiver<Command>,
    handler: &dyn EventHandler,
) {
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
                    Some(callback) => complete(callback, message),
                    None => handle_event(handler, &message),
                }
            }
        };
        for Command { session, method, parameters, callback } in sent {
            number += 1;
            waiting.insert(number, callback);
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

/// Passes a result to its callback. Returns no commands, so that both arms of the loop have one
/// type.
fn complete(callback: Callback, mut message: Value) -> Vec<Command> {
    callback(match message.get("error") {
        Some(error) => Err(error.to_string()),
        None => Ok(message["result"].take()),
    });
    Vec::new()
}

fn handle_event(handler: &dyn EventHandler, message: &Value) -> Vec<Command> {
    let method = message["method"].as_str().unwrap_or_default();
    handler.handle_event(message["sessionId"].as_str(), method, &message["params"])
}
