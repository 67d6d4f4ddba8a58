//! Tests of the tutorial: its text shows the compiled programs, and the programs behave as
//! described.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;

use bellwire_testkit::{Client, PASSWORD, PATIENCE, Window};

/// A running step.
struct Step {
    _process: Process,
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
        let mut process =
            Process(command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap());
        let output = BufReader::new(process.0.stderr.take().unwrap()).lines().map_while(Result::ok);
        let (sender, receiver) = mpsc::channel();
        // Reads to the end, because a full pipe would block the step.
        std::thread::spawn(move || {
            for line in output.filter(|line| line.starts_with("Open ")) {
                let _ = sender.send(line);
            }
        });
        let line = receiver.recv_timeout(PATIENCE).expect("an address in time");
        let address =
            line.trim_start_matches("Open http://").trim_end_matches('/').parse().unwrap();
        Self { _process: process, address }
    }

    fn client(&self) -> Client {
        Client::new(self.address, &format!("http://{}", self.address))
    }
}

/// A process that is killed when dropped, even if it never prints its address.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
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
fn every_file_shown_in_the_tutorial_is_the_compiled_one() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut shown = Vec::new();
    for chapter in ["1-echo.md", "2-chat.md"] {
        let text = std::fs::read_to_string(folder.join(chapter)).unwrap();
        for part in text.split("<!-- step: ").skip(1) {
            let (name, rest) = part.split_once(" -->\n```").unwrap();
            let (_, rest) = rest.split_once('\n').unwrap();
            let (block, _) = rest.split_once("\n```\n").unwrap();
            let file = std::fs::read_to_string(folder.join("src/bin").join(name)).unwrap();
            assert_eq!(block, file.trim_end(), "{chapter} shows a different {name}");
            shown.push(name.to_owned());
        }
    }
    let files = std::fs::read_dir(folder.join("src/bin")).unwrap();
    let mut files: Vec<_> =
        files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    files.sort();
    shown.sort();
    assert_eq!(shown, files, "each step is shown once");
}

#[tokio::test]
async fn the_first_step_is_a_page() {
    let folder = tempfile::tempdir().unwrap();
    let step = Step::start(env!("CARGO_BIN_EXE_page"), folder.path());
    assert!(step.client().get("/").await.text.contains("<h1>Hello!</h1>"));
}

#[tokio::test]
async fn the_echo_returns_text_to_its_sender_only() {
    let folder = tempfile::tempdir().unwrap();
    let step = Step::start(env!("CARGO_BIN_EXE_echo"), folder.path());
    assert!(step.client().get("/").await.text.contains("new WebSocket"));
    let (mut ada, mut ben) = (
        Window::open(&step.client(), "/ws/echo/").await,
        Window::open(&step.client(), "/ws/echo/").await,
    );
    for page in [&mut ada, &mut ben] {
        assert_eq!(page.text().await, "You are connected by WebSockets!");
    }
    ada.say("Lunch?").await;
    assert_eq!(ada.text().await, "Lunch?");
    ben.say("Tea?").await;
    assert_eq!(ben.text().await, "Tea?", "and none of Ada's messages before it");
}

#[tokio::test]
async fn a_message_is_sent_to_everyone_and_an_error_only_to_its_sender() {
    let folder = tempfile::tempdir().unwrap();
    let step = Step::start(env!("CARGO_BIN_EXE_talk"), folder.path());
    let ada = signed_up(&step, "/accounts/first/", "Ada").await;
    let ben = signed_up(&step, "/accounts/signup/", "Ben").await;
    assert!(ada.clone().get("/talk/").await.text.contains("bw-connect=\"/ws/talk/\""));
    let (mut ada, mut ben) =
        (Window::open(&ada, "/ws/talk/").await, Window::open(&ben, "/ws/talk/").await);
    // A socket that has received a reply has joined the group; a newly opened one may not have.
    for page in [&mut ada, &mut ben] {
        page.say(r#"{"action":"Say","data":{"text":" "}}"#).await;
        assert_eq!(page.text().await, r#"{"error":"Write something first.","field":"text"}"#);
    }
    ada.say(r#"{"action":"Say","data":{"text":"<b>Lunch?</b>"}}"#).await;
    let line = r#"<li><b>Ada</b> &#60;b&#62;Lunch?&#60;/b&#62;</li>"#;
    // The reply to the sender and the patch to the group may arrive in either order.
    let received = [ada.text().await, ada.text().await].concat();
    assert!(received.contains("\"#say\"") && received.contains(line), "{received}");
    let received = ben.text().await;
    assert!(received.contains("\"#lines\"") && received.contains(line), "{received}");
}

#[tokio::test]
async fn a_chat_stores_messages_and_catches_up_after_a_reconnect() {
    let folder = tempfile::tempdir().unwrap();
    let step = Step::start(env!("CARGO_BIN_EXE_chat"), folder.path());
    let ada = signed_up(&step, "/accounts/first/", "Ada").await;
    let mut page = Window::open(&ada, "/ws/chat/").await;
    assert!(page.text().await.contains("\"#lines\""), "the whole list, without a position");
    for text in ["one", "two", "three"] {
        page.say(&format!(r#"{{"action":"Say","data":{{"text":"{text}"}}}}"#)).await;
        let received = [page.text().await, page.text().await];
        let line = format!("</b> {text}</li>");
        assert!(received.iter().any(|frame| frame.contains(&line)), "{received:?}");
        assert!(received.iter().any(|frame| frame.contains("\"#say\"")), "{received:?}");
    }
    let seen = position(&ada.clone().get("/chat/").await.text);
    drop((page, step));

    let again = Step::start(env!("CARGO_BIN_EXE_chat"), folder.path());
    let mut ada = Client::new(again.address, &format!("http://{}", again.address));
    ada.sign_in("Ada", PASSWORD).await;
    assert_eq!(
        ada.post("/chat/", &[("text", "four")]).await.location(),
        "/chat/",
        "without JavaScript"
    );
    let empty = ada.post("/chat/", &[("text", " ")]).await;
    assert!(empty.status == 422 && empty.text.contains("Write something first."), "{}", empty.text);
    let shown = ada.get("/chat/").await.text;
    assert!(shown.find("</b> one</li>") < shown.find("</b> four</li>"), "{shown}");
    for (since, first) in [(seen.as_str(), "four"), ("unknown.3", "one")] {
        let mut late = Window::open(&ada, &format!("/ws/chat/?since=chat.1:{since}")).await;
        let missed = late.text().await;
        let lines = missed.split("</b> ").skip(1).filter_map(|line| line.split('<').next());
        assert_eq!(lines.clone().next(), Some(first), "since {since}: {missed}");
        assert_eq!(lines.last(), Some("four"), "since {since}: {missed}");
        assert!(missed.contains("\"seq\":4"), "{missed}");
    }
}

/// The position of the list in a page.
fn position(page: &str) -> String {
    let position = page.split("data-feed=\"chat.1\" data-seq=\"").nth(1);
    position.and_then(|rest| rest.split('"').next()).expect("a position").to_owned()
}
