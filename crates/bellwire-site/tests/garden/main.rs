//! Tests of a second site, `examples/garden.rs`: nothing in it refers to the first one.
//!
//! The tests run the program as an operator does.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use tempfile::TempDir;

/// The example program, which `cargo test` also builds.
fn program(data: &Path) -> Command {
    let tests = std::env::current_exe().expect("the path of this test");
    let folder: PathBuf = tests.ancestors().nth(2).expect("target/<profile>").join("examples");
    let mut command = Command::new(folder.join("garden"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("BELLWIRE_") || name == "DATABASE_URL" {
            command.env_remove(name);
        }
    }
    command
        .env("BELLWIRE_BIND", "127.0.0.1:0")
        .env("BELLWIRE_DATA", data)
        .env("BELLWIRE_LOG", "warn");
    command
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder")
}

fn run(arguments: &[&str]) -> Output {
    let data = folder();
    program(data.path())
        .args(arguments)
        .output()
        .expect("cargo test builds the example, unless it is filtered out")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A running site, killed when it is dropped.
struct Garden {
    process: Child,
    greeting: String,
    address: String,
    _data: TempDir,
}

impl Garden {
    fn start() -> Self {
        let data = folder();
        let mut process = program(data.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the site should start");
        let mut lines = BufReader::new(process.stdout.take().expect("its output")).lines();
        let greeting = lines.by_ref().map_while(Result::ok).find(|line| line.contains("http://"));
        let greeting = greeting.expect("the site says where it is");
        let address = greeting.split_once("http://").map(|(_, address)| address.to_owned());
        Self { process, greeting, address: address.expect("an address"), _data: data }
    }

    fn request(&self, method: &str, path: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).expect("a connection");
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: {0}\r\nOrigin: http://{0}\r\nAccept: text/html\r\n\
             Content-Length: 0\r\nConnection: close\r\n\r\n",
            self.address
        );
        stream.write_all(head.as_bytes()).expect("the request");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("the answer");
        answer
    }
}

impl Drop for Garden {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn the_site_has_its_own_name_front_page_and_shell() {
    let garden = Garden::start();
    assert!(garden.greeting.trim_start().starts_with("Garden is running"), "{}", garden.greeting);
    let front = garden.request("GET", "/");
    assert!(front.starts_with("HTTP/1.1 200"), "{front}");
    assert!(
        front.contains("<title>Garden</title>") && front.contains("<h1>The garden</h1>"),
        "{front}"
    );
    assert!(front.contains("You are a visitor."), "{front}");
    for path in ["/beds/", "/nothing/", "/accounts/login/", "/accounts/signup/", "/accounts/first/"]
    {
        let page = garden.request("GET", path);
        assert!(page.contains(" · Garden</title>"), "{path}: {page}");
    }
}

#[test]
fn no_page_mentions_the_other_site_or_its_apps() {
    let garden = Garden::start();
    for path in [
        "/",
        "/beds/",
        "/nothing/",
        "/accounts/login/",
        "/accounts/signup/",
        "/accounts/first/",
        "/robots.txt",
    ] {
        let page = garden.request("GET", path);
        // The script and its setting keep their names, as the headers do: people do not see them.
        let (_, shown) = page.split_once("\r\n\r\n").expect("a head and a body");
        let shown = shown.replace("/bellwire.js", "").replace("\"extensions\":\"bellwire\"", "");
        for word in ["Bellwire", "bellwire", "/chat/", "Ring the bell"] {
            assert!(!shown.contains(word), "{word} in {path}: {shown}");
        }
    }
    assert!(garden.request("GET", "/chat/").starts_with("HTTP/1.1 404"));
}

#[test]
fn the_site_has_its_own_theme_and_tower_layer() {
    let garden = Garden::start();
    let page = garden.request("GET", "/");
    assert!(page.contains("\r\nx-garden: open\r\n"), "{page}");
    let theme =
        page.split('"').find(|part| part.ends_with("/gate/garden.css")).expect("a style sheet");
    assert!(garden.request("GET", theme).contains("max-inline-size: 40rem"));
}

#[test]
fn the_background_task_ends_with_the_site() {
    let mut garden = Garden::start();
    let ended = Command::new("kill").args(["-TERM", &garden.process.id().to_string()]).status();
    assert!(ended.expect("kill").success());
    let mut log = String::new();
    garden.process.stderr.take().expect("its log").read_to_string(&mut log).expect("text");
    assert!(garden.process.wait().expect("its end").success(), "{log}");
    assert!(log.contains("The rain has stopped") && !log.contains("did not end in time"), "{log}");
}

#[test]
fn the_app_has_state_a_computed_socket_path_and_an_image_source() {
    let garden = Garden::start();
    let before = garden.request("GET", "/beds/");
    assert!(
        before.contains("0 beds were watered.") && before.contains("https://flowers.example"),
        "{before}"
    );
    assert!(garden.request("POST", "/beds/water/").starts_with("HTTP/1.1 303"));
    let after = garden.request("GET", "/beds/");
    assert!(
        after.contains("1 beds were watered.") && after.contains("bw-connect=\"/ws/beds/1/\""),
        "{after}"
    );
    assert!(garden.request("GET", "/ws/beds/1/").starts_with("HTTP/1.1 426"), "there is a socket");
}

#[test]
fn the_added_command_is_listed_with_the_built_in_ones() {
    let help = text(&run(&["--help"]).stdout);
    for word in ["A garden to look at", "water", "serve", "check", "migrate", "user", "seed"] {
        assert!(help.contains(word), "{word} in {help}");
    }
    let done = run(&["water", "roses"]);
    assert!(done.status.success(), "{}", text(&done.stderr));
    assert_eq!(text(&done.stdout), "roses in Garden has water\n");
    let wrong = run(&["water"]);
    assert_eq!(wrong.status.code(), Some(2), "{}", text(&wrong.stderr));
}
