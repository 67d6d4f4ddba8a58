//! What the tutorial shows is what is compiled here, and what is compiled does what the tutorial says.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use bellwire_site::testing::{Client, PASSWORD};
use futures_util::{SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio_websockets::{ClientBuilder, Limits, MaybeTlsStream, Message, WebSocketStream};

/// How long anything may take. Only a broken step waits so long.
const PATIENCE: Duration = Duration::from_secs(30);

/// A step that runs, and ends with the test.
struct Step {
    child: Child,
    address: SocketAddr,
}

impl Step {
    fn start(program: &str, folder: &Path) -> Self {
        let mut command = Command::new(program);
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("BELLWIRE_")) {
            command.env_remove(name);
        }
        command.env_remove("DATABASE_URL").env_remove("REDIS_URL");
        command.arg("127.0.0.1:0").env("BELLWIRE_BIND", "127.0.0.1:0").env("BELLWIRE_DATA", folder);
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let mut said = BufReader::new(child.stderr.take().unwrap()).lines();
        let line = said.find_map(|line| line.ok().filter(|line| line.starts_with("Open "))).unwrap();
        // Whatever else it says must not fill the pipe.
        std::thread::spawn(move || said.for_each(drop));
        let address = line.trim_start_matches("Open http://").trim_end_matches('/').parse().unwrap();
        Self { child, address }
    }

    fn client(&self) -> Client {
        Client::new(self.address, &format!("http://{}", self.address))
    }

    async fn socket(&self, path: &str, client: &Client) -> Page {
        let builder = ClientBuilder::new().limits(Limits::unlimited());
        let uri = format!("ws://{}{path}", self.address);
        let builder = builder.uri(&uri).unwrap();
        let origin = http::HeaderValue::from_str(&format!("http://{}", self.address)).unwrap();
        let mut builder = builder.add_header(http::header::ORIGIN, origin).unwrap();
        if !client.cookies().is_empty() {
            let cookies = http::HeaderValue::from_str(&client.cookies()).unwrap();
            builder = builder.add_header(http::header::COOKIE, cookies).unwrap();
        }
        let (socket, _) = tokio::time::timeout(PATIENCE, builder.connect()).await.unwrap().unwrap();
        Page(socket)
    }
}

impl Drop for Step {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The browser's end of a socket.
struct Page(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Page {
    async fn say(&mut self, text: &str) {
        self.0.send(Message::text(text.to_owned())).await.unwrap();
    }

    async fn hear(&mut self) -> String {
        loop {
            let message = tokio::time::timeout(PATIENCE, self.0.next()).await.expect("an answer in time");
            let message = message.expect("an open socket").unwrap();
            if let Some(text) = message.as_text() {
                return text.to_owned();
            }
        }
    }
}

async fn signed_up(step: &Step, path: &str, name: &str) -> Client {
    let mut client = step.client();
    let fields = [("username", name), ("password", PASSWORD), ("password_confirm", PASSWORD)];
    let answer = client.post(path, &fields).await;
    assert_eq!(answer.status, 303, "{}", answer.text);
    client
}

#[test]
fn every_file_that_the_tutorial_shows_is_the_one_that_is_compiled() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut shown = Vec::new();
    for chapter in ["1-echo.md", "2-chat.md"] {
        let text = std::fs::read_to_string(folder.join(chapter)).unwrap();
        for part in text.split("<!-- step: ").skip(1) {
            let (name, rest) = part.split_once(" -->\n```").unwrap();
            let (_, rest) = rest.split_once('\n').unwrap();
            let (block, _) = rest.split_once("\n```\n").unwrap();
            let file = std::fs::read_to_string(folder.join("src/bin").join(name)).unwrap();
            assert_eq!(block, file.trim_end(), "{chapter} shows another {name}");
            shown.push(name.to_owned());
        }
    }
    let files = std::fs::read_dir(folder.join("src/bin")).unwrap();
    let mut files: Vec<_> = files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    files.sort();
    shown.sort();
    assert_eq!(shown, files, "each step is shown, once");
}

#[tokio::test]
async fn the_first_step_is_a_page() {
    let folder = tempfile::tempdir().unwrap();
    let step = Step::start(env!("CARGO_BIN_EXE_page"), folder.path());
    assert!(step.client().get("/").await.text.contains("<h1>Hello!</h1>"));
}

#[tokio::test]
async fn the_echo_says_what_it_hears_to_the_one_who_said_it() {
    let folder = tempfile::tempdir().unwrap();
    let step = Step::start(env!("CARGO_BIN_EXE_echo"), folder.path());
    assert!(step.client().get("/").await.text.contains("new WebSocket"));
    let (mut ada, mut ben) =
        (step.socket("/ws/echo/", &step.client()).await, step.socket("/ws/echo/", &step.client()).await);
    for page in [&mut ada, &mut ben] {
        assert_eq!(page.hear().await, "You are connected by WebSockets!");
    }
    ada.say("Lunch?").await;
    assert_eq!(ada.hear().await, "Lunch?");
    ben.say("Tea?").await;
    assert_eq!(ben.hear().await, "Tea?", "and nothing of Ada's before it");
}

#[tokio::test]
async fn a_talk_is_heard_by_everybody_and_empty_words_only_by_who_said_them() {
    let folder = tempfile::tempdir().unwrap();
    let step = Step::start(env!("CARGO_BIN_EXE_talk"), folder.path());
    let ada = signed_up(&step, "/accounts/first/", "Ada").await;
    let ben = signed_up(&step, "/accounts/signup/", "Ben").await;
    assert!(ada.clone().get("/talk/").await.text.contains("bw-connect=\"/ws/talk/\""));
    let (mut ada, mut ben) = (step.socket("/ws/talk/", &ada).await, step.socket("/ws/talk/", &ben).await);
    ada.say(r#"{"action":"Say","data":{"text":" "}}"#).await;
    assert_eq!(ada.hear().await, r#"{"error":"Write something first.","field":"text"}"#);
    ada.say(r#"{"action":"Say","data":{"text":"<b>Lunch?</b>"}}"#).await;
    let line = r#"<li><b>Ada</b> &#60;b&#62;Lunch?&#60;/b&#62;</li>"#;
    // The answer to her alone and what goes to everybody come on two ways.
    let heard = [ada.hear().await, ada.hear().await].concat();
    assert!(heard.contains("\"#say\"") && heard.contains(line), "{heard}");
    let heard = ben.hear().await;
    assert!(heard.contains("\"#lines\"") && heard.contains(line), "{heard}");
}

#[tokio::test]
async fn a_chat_keeps_what_is_said_and_brings_who_was_away_up_to_date() {
    let folder = tempfile::tempdir().unwrap();
    let step = Step::start(env!("CARGO_BIN_EXE_chat"), folder.path());
    let ada = signed_up(&step, "/accounts/first/", "Ada").await;
    let mut page = step.socket("/ws/chat/?since=chat.1:0", &ada).await;
    for text in ["one", "two", "three"] {
        page.say(&format!(r#"{{"action":"Say","data":{{"text":"{text}"}}}}"#)).await;
        let heard = [page.hear().await, page.hear().await];
        let line = format!("</b> {text}</li>");
        assert!(heard.iter().any(|frame| frame.contains(&line)), "{heard:?}");
        assert!(heard.iter().any(|frame| frame.contains("\"#say\"")), "{heard:?}");
    }
    drop((page, step));

    let again = Step::start(env!("CARGO_BIN_EXE_chat"), folder.path());
    let mut ada = Client::new(again.address, &format!("http://{}", again.address));
    ada.sign_in("Ada", PASSWORD).await;
    assert_eq!(ada.post("/chat/", &[("text", "four")]).await.location(), "/chat/", "without JavaScript");
    let shown = ada.get("/chat/").await.text;
    assert!(shown.contains("data-feed=\"chat.1\" data-seq=\"4\""), "{shown}");
    assert!(shown.find("</b> one</li>") < shown.find("</b> four</li>"));
    let mut late = again.socket("/ws/chat/?since=chat.1:2", &ada).await;
    let (three, four) = (late.hear().await, late.hear().await);
    assert!(three.contains("</b> three</li>") && four.contains("</b> four</li>"), "{three} {four}");
    assert!(four.contains("\"seq\":4"), "{four}");
}
