//! What the tutorial shows is what is compiled here, and what is compiled does what the tutorial
//! says.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;

use bellwire_testkit::{Client, PASSWORD, PATIENCE, Window};

/// A step that runs.
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
        let said = BufReader::new(process.0.stderr.take().unwrap()).lines().map_while(Result::ok);
        let (found, finds) = mpsc::channel();
        // It reads to the end: a full pipe would stop the step.
        std::thread::spawn(move || {
            for line in said.filter(|line| line.starts_with("Open ")) {
                let _ = found.send(line);
            }
        });
        let line = finds.recv_timeout(PATIENCE).expect("an address, in time");
        let address =
            line.trim_start_matches("Open http://").trim_end_matches('/').parse().unwrap();
        Self { _process: process, address }
    }

    fn client(&self) -> Client {
        Client::new(self.address, &format!("http://{}", self.address))
    }
}

/// Ends with the test, whether or not it ever says where it is.
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
    let mut files: Vec<_> =
        files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
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
    assert_eq!(ben.text().await, "Tea?", "and nothing of Ada's before it");
}

#[tokio::test]
async fn a_talk_is_heard_by_everybody_and_empty_words_only_by_who_said_them() {
    let folder = tempfile::tempdir().unwrap();
    let step = Step::start(env!("CARGO_BIN_EXE_talk"), folder.path());
    let ada = signed_up(&step, "/accounts/first/", "Ada").await;
    let ben = signed_up(&step, "/accounts/signup/", "Ben").await;
    assert!(ada.clone().get("/talk/").await.text.contains("bw-connect=\"/ws/talk/\""));
    let (mut ada, mut ben) =
        (Window::open(&ada, "/ws/talk/").await, Window::open(&ben, "/ws/talk/").await);
    // Whoever is answered is in the room: a socket that has just opened may not be yet.
    for page in [&mut ada, &mut ben] {
        page.say(r#"{"action":"Say","data":{"text":" "}}"#).await;
        assert_eq!(page.text().await, r#"{"error":"Write something first.","field":"text"}"#);
    }
    ada.say(r#"{"action":"Say","data":{"text":"<b>Lunch?</b>"}}"#).await;
    let line = r#"<li><b>Ada</b> &#60;b&#62;Lunch?&#60;/b&#62;</li>"#;
    // The answer to her alone and what goes to everybody come on two ways.
    let heard = [ada.text().await, ada.text().await].concat();
    assert!(heard.contains("\"#say\"") && heard.contains(line), "{heard}");
    let heard = ben.text().await;
    assert!(heard.contains("\"#lines\"") && heard.contains(line), "{heard}");
}

#[tokio::test]
async fn a_chat_keeps_what_is_said_and_brings_who_was_away_up_to_date() {
    let folder = tempfile::tempdir().unwrap();
    let step = Step::start(env!("CARGO_BIN_EXE_chat"), folder.path());
    let ada = signed_up(&step, "/accounts/first/", "Ada").await;
    let mut page = Window::open(&ada, "/ws/chat/?since=chat.1:0").await;
    for text in ["one", "two", "three"] {
        page.say(&format!(r#"{{"action":"Say","data":{{"text":"{text}"}}}}"#)).await;
        let heard = [page.text().await, page.text().await];
        let line = format!("</b> {text}</li>");
        assert!(heard.iter().any(|frame| frame.contains(&line)), "{heard:?}");
        assert!(heard.iter().any(|frame| frame.contains("\"#say\"")), "{heard:?}");
    }
    drop((page, step));

    let again = Step::start(env!("CARGO_BIN_EXE_chat"), folder.path());
    let mut ada = Client::new(again.address, &format!("http://{}", again.address));
    ada.sign_in("Ada", PASSWORD).await;
    assert_eq!(
        ada.post("/chat/", &[("text", "four")]).await.location(),
        "/chat/",
        "without JavaScript"
    );
    let shown = ada.get("/chat/").await.text;
    assert!(shown.contains("data-feed=\"chat.1\" data-seq=\"4\""), "{shown}");
    assert!(shown.find("</b> one</li>") < shown.find("</b> four</li>"));
    let mut late = Window::open(&ada, "/ws/chat/?since=chat.1:2").await;
    let (three, four) = (late.text().await, late.text().await);
    assert!(three.contains("</b> three</li>") && four.contains("</b> four</li>"), "{three} {four}");
    assert!(four.contains("\"seq\":4"), "{four}");
}
