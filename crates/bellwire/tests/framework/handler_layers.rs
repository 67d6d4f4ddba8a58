//! Layers around consumers.

use axum::Router;
use axum::response::Response;
use axum::routing::get;
use bellwire::{Bellwire, Close, Error, Handler, HandlerLayer, Live, Scope};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::sync::mpsc;

use crate::support::{
    CLOSE, Member, Notice, Server, TEXT, bellwire, frame, next_call, read_close, read_text, room,
    say,
};

/// Records its calls, and refuses a handler.
#[derive(Clone)]
struct Recorder {
    name: &'static str,
    calls: mpsc::UnboundedSender<String>,
    refused: Option<Handler>,
}

impl HandlerLayer for Recorder {
    async fn before(&mut self, handler: Handler, scope: &Scope) -> Result<(), Error> {
        let _ = self.calls.send(format!("{} before {handler} of {}", self.name, scope.path()));
        match self.refused {
            Some(Handler::Connect) if handler == Handler::Connect => {
                Err(Close::policy("closed today").into())
            }
            Some(refused) if handler == refused => Err(Error::refuse("message", "Not now.")),
            _ => Ok(()),
        }
    }

    fn after(&mut self, handler: Handler, _: &Scope, result: &Result<(), Error>) {
        let result = if result.is_ok() { "ok" } else { "an error" };
        let _ = self.calls.send(format!("{} after {handler}: {result}", self.name));
    }
}

/// A server with two layers around its member.
async fn start(bellwire: Bellwire, refused: Option<Handler>) -> Server {
    let (calls, receiver) = mpsc::unbounded_channel();
    let live = async move |live: Live| -> Response {
        let layer = |name, refused| Recorder { name, calls: calls.clone(), refused };
        let live = live.layer(layer("inner", None)).layer(layer("outer", refused));
        live.run(Member { lines: None, calls: calls.clone() })
    };
    let router = Router::new().route("/ws/", get(live)).with_state(bellwire.clone());
    Server::serve(bellwire, receiver, router).await
}

async fn assert_calls(server: &mut Server, expected: &[&str]) {
    for call in expected {
        assert_eq!(next_call(&mut server.calls).await.as_deref(), Some(*call));
    }
    assert!(server.calls.try_recv().is_err(), "there are no further calls");
}

/// The calls around a handler of which the member records nothing.
fn around(handler: Handler, result: &str) -> [String; 4] {
    [
        format!("outer before {handler} of /ws/"),
        format!("inner before {handler} of /ws/"),
        format!("inner after {handler}: {result}"),
        format!("outer after {handler}: {result}"),
    ]
}

#[tokio::test]
async fn layers_run_around_each_handler_the_one_added_last_first() {
    let mut server = start(bellwire(), None).await;
    let mut socket = server.open("/ws/?greet").await;
    assert_eq!(read_text(&mut socket).await, "Hello");
    let mut connect = around(Handler::Connect, "ok").to_vec();
    connect.insert(2, "connect".into());
    for (calls, text) in [
        (connect, None),
        (around(Handler::Receive, "ok").to_vec(), Some(say("hi"))),
        (
            around(Handler::Receive, "an error").to_vec(),
            Some(frame(TEXT, br#"{"action":"Complain","data":{"field":"message"}}"#)),
        ),
    ] {
        if let Some(text) = text {
            socket.write_all(&text).await.unwrap();
            read_text(&mut socket).await;
        }
        assert_calls(&mut server, &calls.iter().map(String::as_str).collect::<Vec<_>>()).await;
    }
    server.bellwire.layer().group(room()).send(Notice("news".into())).unwrap();
    assert_eq!(read_text(&mut socket).await, "notice: news");
    let calls = around(Handler::Event, "ok");
    assert_calls(&mut server, &calls.each_ref().map(String::as_str)).await;
    socket.write_all(&frame(CLOSE, &1000u16.to_be_bytes())).await.unwrap();
    assert_eq!(read_close(&mut socket).await.0, 1000);
    let mut disconnect = around(Handler::Disconnect, "ok").to_vec();
    disconnect.insert(2, "disconnect 1000".into());
    let disconnect: Vec<_> = disconnect.iter().map(String::as_str).collect();
    assert_calls(&mut server, &disconnect).await;
}

#[tokio::test]
async fn an_error_of_a_layer_answers_the_action_and_its_handler_does_not_run() {
    let mut server = start(bellwire(), Some(Handler::Receive)).await;
    let mut socket = server.open("/ws/?greet").await;
    assert_eq!(read_text(&mut socket).await, "Hello");
    server.wait_for_call("outer after connect: ok").await;
    let action = json!({"action": "Say", "data": {"message": "hi", "client_id": "c-1"}});
    socket.write_all(&frame(TEXT, action.to_string().as_bytes())).await.unwrap();
    let answer: Value = serde_json::from_str(&read_text(&mut socket).await).unwrap();
    assert_eq!(answer, json!({"error": "Not now.", "field": "message", "client_id": "c-1"}));
    assert_calls(&mut server, &["outer before receive of /ws/"]).await;
}

#[tokio::test]
async fn a_layer_that_refuses_connect_closes_the_connection_and_no_handler_runs() {
    let mut server = start(bellwire(), Some(Handler::Connect)).await;
    let mut socket = server.open("/ws/?greet").await;
    assert_eq!(read_close(&mut socket).await, (1008, "closed today".to_owned()));
    socket.shutdown().await.unwrap();
    while server.bellwire.layer().local_sockets() > 0 {
        tokio::task::yield_now().await;
    }
    assert_calls(&mut server, &["outer before connect of /ws/"]).await;
}
