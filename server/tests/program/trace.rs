//! System calls of the server: the disk is synced before an acknowledgement is written.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::room_client::{Page, Received, RoomClient, RoomTarget};
use crate::support::{Finished, HttpClient, PROGRAM, Server, folder, wait_until, with_settings};

/// Messages of each kind, one after another.
const MESSAGES: usize = 10;
/// People who send concurrently, so that their messages share commits.
const PEOPLE: usize = 4;

/// System calls that write to a file or a socket, and those that wait for the disk.
const CALLS: &str = "trace=fdatasync,fsync,write,writev,sendto,sendmsg,pwrite64,pwritev";

/// Traces a program, which stays a child of this process (`-D`). The trace names the file of each
/// call and contains all written data.
fn strace(trace: &Path, program: &str) -> Command {
    let mut strace = Command::new("strace");
    strace.args(["-D", "-f", "-q", "-y", "-s", "65536", "-e", CALLS, "-e", "signal=none", "-o"]);
    strace.arg(trace).arg("--").arg(program);
    strace
}

/// Checks that tracing works here, because the server's output would not show the failure.
fn check_strace(folder: &Path) {
    let probe = strace(&folder.join("probe"), "true").stderr(Stdio::piped()).spawn();
    let probe = Finished::wait(
        probe.expect("this test needs strace: run it with bin/test, which installs it"),
    );
    assert!(
        probe.code == Some(0) && probe.stderr.is_empty(),
        "this test needs ptrace, which is forbidden on this machine: {}",
        probe.stderr
    );
}

/// A system call, and the two lines of the trace between which it happened.
#[derive(Debug)]
struct Call {
    name: String,
    /// The arguments, starting with the file.
    arguments: String,
    start: usize,
    end: usize,
}

impl Call {
    fn writes(&self, what: &str) -> bool {
        !self.is_sync() && self.arguments.contains(what)
    }

    fn is_sync(&self) -> bool {
        matches!(&*self.name, "fdatasync" | "fsync")
    }

    fn is_to(&self, file: &str) -> bool {
        self.arguments
            .split_once('<')
            .is_some_and(|(_, rest)| rest.split('>').next().unwrap().contains(file))
    }
}

/// The successful calls, in the order in which they started.
fn calls(trace: &str) -> Vec<Call> {
    let mut unfinished = std::collections::HashMap::new();
    let mut calls = Vec::new();
    for (at, line) in trace.lines().enumerate() {
        let Some((thread, rest)) = line.trim_start().split_once(' ') else { continue };
        let rest = rest.trim_start();
        let whole = if rest.starts_with("<... ") {
            let Some((start, head)) = unfinished.remove(thread) else { continue };
            let Some((_, tail)) = rest.split_once("resumed>") else { continue };
            (start, format!("{head}{tail}"))
        } else if let Some(head) = rest.strip_suffix(" <unfinished ...>") {
            unfinished.insert(thread, (at, head.to_owned()));
            continue;
        } else {
            (at, rest.to_owned())
        };
        let (start, text) = whole;
        let Some((name, rest)) = text.split_once('(') else { continue };
        let Some((arguments, result)) = rest.rsplit_once(" = ") else { continue };
        if result.trim().starts_with(|digit: char| digit.is_ascii_digit()) {
            calls.push(Call {
                name: name.to_owned(),
                arguments: arguments.to_owned(),
                start,
                end: at,
            });
        }
    }
    calls.sort_by_key(|call| call.start);
    calls
}

/// Checks that the disk is synced after the write-ahead log received the message, and before
/// `reply`.
fn assert_synced_before(reply: &Call, calls: &[Call], message: &str) {
    let logged = calls.iter().find(|call| call.is_to(".db-wal") && call.writes(message));
    let logged = logged.unwrap_or_else(|| panic!("{message} is not in the write-ahead log"));
    let between = |call: &Call| call.start > logged.end && call.end < reply.start;
    let synced = calls.iter().any(|call| call.is_sync() && call.is_to(".db-wal") && between(call));
    assert!(
        synced,
        "{message}: the reply was written before the disk was synced\nlogged: {logged:?}\nreply: {reply:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_disk_is_synced_before_an_acknowledgement_is_sent() {
    let folder = folder("trace");
    check_strace(&folder);
    let trace = folder.join("trace");
    let server = Server::start(with_settings(strace(&trace, PROGRAM), &folder));
    let mut client = HttpClient::connect(&server.address, "").unwrap();
    let cookie = client.sign_up("Ada");
    assert_eq!(client.post("/chat/", "name=trace").unwrap().status, 303);
    let target = RoomTarget { address: server.address.clone(), cookie, room: "trace".to_owned() };
    for form in 0..MESSAGES {
        let form = format!("message={}", by_form(form));
        assert_eq!(client.post("/chat/trace/", &form).unwrap().status, 303);
    }
    let senders: Vec<_> =
        (0..PEOPLE).map(|person| tokio::spawn(send_messages(person, target.clone()))).collect();
    for person in senders {
        person.await.unwrap();
    }
    let id = server.id().to_string();
    assert!(server.stop().0.success());
    let traced = || std::fs::read_to_string(&trace).unwrap();
    let is_last = |line: &str| line.starts_with(&id) && line.ends_with("+++ exited with 0 +++");
    wait_until("the trace is complete", || traced().lines().any(is_last));
    let calls = calls(&traced());
    let by_socket =
        (0..PEOPLE).flat_map(|person| (0..MESSAGES).map(move |number| by_socket(person, number)));
    for message in by_socket {
        let reply = calls.iter().find(|call| call.is_to("socket:") && call.writes(&message));
        assert_synced_before(reply.expect("a reply on a socket"), &calls, &message);
    }
    // The response to a form redirects to the room. The first one created the room.
    let is_redirect =
        |call: &&Call| call.writes("HTTP/1.1 303") && call.writes("location: /chat/trace/");
    let answers: Vec<_> = calls.iter().filter(is_redirect).skip(1).collect();
    assert_eq!(answers.len(), MESSAGES);
    for (form, answer) in answers.into_iter().enumerate() {
        assert_synced_before(answer, &calls, &by_form(form));
    }
    std::fs::remove_dir_all(&folder).unwrap();
}

fn by_form(number: usize) -> String {
    format!("by-form-{number}-end")
}

fn by_socket(person: usize, number: usize) -> String {
    format!("by-socket-{person}-{number}-end")
}

/// Sends messages one after another, each after the previous one was received.
async fn send_messages(person: usize, target: RoomTarget) {
    let mut page = Page::load(&target);
    let mut socket = RoomClient::open(&target, &page).await.unwrap();
    for number in 0..MESSAGES {
        let text = by_socket(person, number);
        socket.send_message(&text, &format!("id-{text}")).await.unwrap();
        let received = socket.receive_until(&mut page, |page| page.shown.contains(&text)).await;
        assert_eq!(received, Received::Frame);
    }
}
