//! What the kernel saw: the disk was synced before an acknowledgement left.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::support::{Done, PROGRAM, Server, Visit, folder, until, with_settings};
use crate::window::{Door, Heard, Page, Window};

/// Messages by each way, one after another.
const MESSAGES: usize = 10;
/// People who then talk at once, so that their messages share commits.
const PEOPLE: usize = 4;

/// The calls that write to a file or a socket, and those that wait for the disk.
const CALLS: &str = "trace=fdatasync,fsync,write,writev,sendto,sendmsg,pwrite64,pwritev";

/// Watches a program of ours, which stays our own child. Names the file of each call, and shows all
/// it writes.
fn strace(trace: &Path, program: &str) -> Command {
    let mut strace = Command::new("strace");
    strace.args(["-D", "-f", "-q", "-y", "-s", "65536", "-e", CALLS, "-e", "signal=none", "-o"]);
    strace.arg(trace).arg("--").arg(program);
    strace
}

/// Here it is said if it cannot be done, for what comes after says nothing of it.
fn strace_is_there(folder: &Path) {
    let probe = strace(&folder.join("probe"), "true").stderr(Stdio::piped()).spawn();
    let probe =
        Done::of(probe.expect("this test needs strace: run it with bin/test, which installs it"));
    assert!(
        probe.code == Some(0) && probe.complained.is_empty(),
        "this test needs ptrace, which is forbidden on this machine: {}",
        probe.complained
    );
}

/// One call: between which two lines of the trace it happened.
#[derive(Debug)]
struct Call {
    name: String,
    /// Its arguments: the file first.
    arguments: String,
    begun: usize,
    done: usize,
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

/// The calls that succeeded, in the order in which they were begun.
fn calls(trace: &str) -> Vec<Call> {
    let mut under_way = std::collections::HashMap::new();
    let mut calls = Vec::new();
    for (at, line) in trace.lines().enumerate() {
        let Some((thread, rest)) = line.trim_start().split_once(' ') else { continue };
        let rest = rest.trim_start();
        let whole = if rest.starts_with("<... ") {
            let Some((begun, start)) = under_way.remove(thread) else { continue };
            let Some((_, end)) = rest.split_once("resumed>") else { continue };
            (begun, format!("{start}{end}"))
        } else if let Some(start) = rest.strip_suffix(" <unfinished ...>") {
            under_way.insert(thread, (at, start.to_owned()));
            continue;
        } else {
            (at, rest.to_owned())
        };
        let (begun, text) = whole;
        let Some((name, rest)) = text.split_once('(') else { continue };
        let Some((arguments, result)) = rest.rsplit_once(" = ") else { continue };
        if result.trim().starts_with(|digit: char| digit.is_ascii_digit()) {
            calls.push(Call {
                name: name.to_owned(),
                arguments: arguments.to_owned(),
                begun,
                done: at,
            });
        }
    }
    calls.sort_by_key(|call| call.begun);
    calls
}

/// The disk is synced after the log of the database got this message, and before `told`.
fn synced_before(told: &Call, calls: &[Call], message: &str) {
    let logged = calls.iter().find(|call| call.is_to(".db-wal") && call.writes(message));
    let logged =
        logged.unwrap_or_else(|| panic!("{message}: nothing of it in the log of the database"));
    let between = |call: &Call| call.begun > logged.done && call.done < told.begun;
    let synced = calls.iter().any(|call| call.is_sync() && call.is_to(".db-wal") && between(call));
    assert!(
        synced,
        "{message}: it left before the disk was synced\nlogged: {logged:?}\nleft: {told:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_disk_is_synced_before_an_acknowledgement_leaves() {
    let folder = folder("trace");
    strace_is_there(&folder);
    let trace = folder.join("trace");
    let server = Server::start(with_settings(strace(&trace, PROGRAM), &folder));
    let mut visit = Visit::to(&server.address, "").unwrap();
    let cookie = visit.sign_up("Ada");
    assert_eq!(visit.post("/chat/", "name=trace").unwrap().status, 303);
    let door = Door { address: server.address.clone(), cookie, room: "trace".to_owned() };
    for form in 0..MESSAGES {
        let form = format!("message={}", by_form(form));
        assert_eq!(visit.post("/chat/trace/", &form).unwrap().status, 303);
    }
    let talking: Vec<_> =
        (0..PEOPLE).map(|person| tokio::spawn(talk(person, door.clone()))).collect();
    for person in talking {
        person.await.unwrap();
    }
    let id = server.id().to_string();
    assert!(server.stop().0.success());
    let traced = || std::fs::read_to_string(&trace).unwrap();
    let is_last = |line: &str| line.starts_with(&id) && line.ends_with("+++ exited with 0 +++");
    until("the trace is whole", || traced().lines().any(is_last));
    let calls = calls(&traced());
    let by_socket =
        (0..PEOPLE).flat_map(|person| (0..MESSAGES).map(move |number| by_socket(person, number)));
    for message in by_socket {
        let told = calls.iter().find(|call| call.is_to("socket:") && call.writes(&message));
        synced_before(told.expect("somebody was told"), &calls, &message);
    }
    // An answer to a form names the room it leads to; the first one is that of the room that was
    // made.
    let led = |call: &&Call| call.writes("HTTP/1.1 303") && call.writes("location: /chat/trace/");
    let answers: Vec<_> = calls.iter().filter(led).skip(1).collect();
    assert_eq!(answers.len(), MESSAGES);
    for (form, answer) in answers.into_iter().enumerate() {
        synced_before(answer, &calls, &by_form(form));
    }
    std::fs::remove_dir_all(&folder).unwrap();
}

fn by_form(number: usize) -> String {
    format!("by-form-{number}-end")
}

fn by_socket(person: usize, number: usize) -> String {
    format!("by-socket-{person}-{number}-end")
}

/// Says one after another, each when the one before came back.
async fn talk(person: usize, door: Door) {
    let (mut window, mut page) = (Window::open(&door, 0).await.unwrap(), Page::default());
    for number in 0..MESSAGES {
        let text = by_socket(person, number);
        window.say(&text, &format!("id-{text}")).await.unwrap();
        let heard = window.hear_until(&mut page, |page| page.shown.contains(&text)).await;
        assert_eq!(heard, Heard::Frame);
    }
}
