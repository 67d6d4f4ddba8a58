//! A plain client on a real socket: JSON in, JSON out.

use bellwire_site::testing::{PATIENCE, TestSite, databases};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_websockets::{ClientBuilder, MaybeTlsStream, Message, WebSocketStream};

use crate::support::{blog, go, publish, say, staff};

type Plain = WebSocketStream<MaybeTlsStream<TcpStream>>;

async fn connect(site: &TestSite, path: &str) -> Plain {
    let address = site.url(path).replacen("http", "ws", 1);
    let origin = site.url("").parse().unwrap();
    let builder = ClientBuilder::new().uri(&address).unwrap();
    let builder = builder.add_header(http::header::ORIGIN, origin).unwrap();
    builder.connect().await.expect("a socket").0
}

async fn send(socket: &mut Plain, ask: &Value) {
    socket.send(Message::text(ask.to_string())).await.unwrap();
}

async fn receive(socket: &mut Plain) -> Value {
    let next = async {
        loop {
            let message = socket.next().await.expect("a frame").expect("a whole frame");
            if let Some(text) = message.as_text() {
                return serde_json::from_str(text).expect("JSON");
            }
        }
    };
    tokio::time::timeout(PATIENCE, next).await.expect("a frame in time")
}

#[tokio::test]
async fn strangers_read_and_comment_over_a_plain_socket() {
    for database in databases() {
        let site = blog(&database).await;
        let mut writer = staff(&site, "Ada").await;
        let tea = publish(&site, &mut writer, "Tea", "Text").await;
        let (mut one, mut two) = (connect(&site, "/ws/blog/").await, connect(&site, "/ws/blog/").await);
        for socket in [&mut one, &mut two] {
            send(socket, &go(&tea)).await;
            assert_eq!(receive(socket).await["selector"], "#nav");
            let main = receive(socket).await;
            assert_eq!((&main["selector"], &main["url"]), (&json!("#main"), &json!("/blog/article/tea/")));
        }
        one.send(Message::text("nonsense".to_owned())).await.unwrap();
        assert!(receive(&mut one).await["error"].is_string());
        send(&mut one, &say(&tea, "Ben", "Hello")).await;
        for socket in [&mut one, &mut two] {
            let frame = receive(socket).await;
            assert_eq!((&frame["selector"], &frame["append"]), (&json!("#list-of-comments"), &json!(true)));
        }
        // A form of unmodified htmx says no action: its fields say enough.
        let form =
            json!({"author": "Eve", "content": "Hi", "post_id": tea.row.id.to_string(), "HEADERS": {}});
        send(&mut two, &form).await;
        assert_eq!(receive(&mut one).await["seq"], 2);
        site.stop().await;
    }
}
