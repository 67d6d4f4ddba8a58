//! Tests of starting and stopping the server.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use crate::store;
use crate::support::{Finished, PROGRAM, Server, TEST_TIMEOUT, bellwire, folder, with_settings};

#[test]
#[cfg(unix)]
fn it_prints_its_address_and_the_next_step_and_stops_on_sigterm() {
    let folder = folder("greets");
    let server = Server::start(bellwire(&folder));
    let output = &server.greeting;
    assert!(output.contains("Bellwire is running at http://127.0.0.1:"), "{output}");
    assert!(output.contains("the first visitor becomes the administrator"), "{output}");
    assert!(folder.join("bellwire.db").exists());
    let (status, log) = server.stop();
    assert!(status.success(), "{status}: {log}");
    std::fs::remove_dir_all(&folder).unwrap();
}

fn socket(address: &str) -> TcpStream {
    let mut socket = TcpStream::connect(address).unwrap();
    socket.set_read_timeout(Some(TEST_TIMEOUT)).unwrap();
    let handshake = format!(
        "GET /ws/ HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\n\
         Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    socket.write_all(handshake.as_bytes()).unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        socket.read_exact(&mut byte).unwrap();
        head.push(byte[0]);
    }
    assert!(head.starts_with(b"HTTP/1.1 101"), "{}", String::from_utf8_lossy(&head));
    socket
}

/// The code of the next close frame; skips other frames.
fn close_code(mut socket: TcpStream) -> u16 {
    let start = Instant::now();
    loop {
        // Each read has a timeout. This bounds an endless stream of frames.
        assert!(start.elapsed() < TEST_TIMEOUT, "no close frame");
        let mut header = [0; 2];
        socket.read_exact(&mut header).unwrap();
        let length = match header[1] {
            126 => {
                let mut length = [0; 2];
                socket.read_exact(&mut length).unwrap();
                usize::from(u16::from_be_bytes(length))
            }
            short => usize::from(short),
        };
        let mut payload = vec![0; length];
        socket.read_exact(&mut payload).unwrap();
        if header[0] == 0x88 {
            return u16::from_be_bytes([payload[0], payload[1]]);
        }
    }
}

#[test]
#[cfg(unix)]
fn a_stop_closes_every_socket_with_1012_and_ends_in_time_despite_hanging_clients() {
    let folder = folder("stops");
    let mut command = bellwire(&folder);
    command.env("BELLWIRE_LOG", "off");
    let server = Server::start(command);
    let address = &server.address;
    let sockets: Vec<_> = (0..200).map(|_| socket(address)).collect();
    let silent: Vec<_> = (0..20).map(|_| TcpStream::connect(address).unwrap()).collect();
    let mut halfway = TcpStream::connect(address).unwrap();
    halfway.write_all(b"GET / HTTP/1.1\r\nHost: ").unwrap();
    let mut sending = TcpStream::connect(address).unwrap();
    let post = format!(
        "POST /accounts/login/ HTTP/1.1\r\nHost: {address}\r\nOrigin: http://{address}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\n\
         Content-Length: 1000\r\n\r\nusername="
    );
    sending.write_all(post.as_bytes()).unwrap();

    // Reads during the stop, because each socket ends when its client has read the close frame.
    let codes = std::thread::spawn(|| sockets.into_iter().map(close_code).collect::<BTreeSet<_>>());
    let (status, _) = server.stop();
    assert_eq!(codes.join().unwrap(), BTreeSet::from([1012]));
    assert!(status.success(), "{status}");
    drop((silent, halfway, sending));
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn an_invalid_setting_is_named_and_nothing_is_started() {
    let folder = folder("wrong");
    for (name, value, expected) in [
        ("BELLWIRE_BIND", "8000", "BELLWIRE_BIND=8000: expected an IP address and a port"),
        ("BELLWIRE_COLOUR", "red", "BELLWIRE_COLOUR=red: expected a setting that exists"),
        ("REDIS_URL", "redis://127.0.0.1", "REDIS_URL=redis://127.0.0.1: expected no value yet"),
        (
            "BELLWIRE_URL",
            "https://me:hush@chat.example",
            "BELLWIRE_URL=https://…@chat.example/: expected",
        ),
        (
            "DATABASE_URL",
            "sqlite://x.db?mode=ro",
            "DATABASE_URL=sqlite://x.db?mode=ro: expected sqlite:path/to/file.db without",
        ),
    ] {
        let done = Finished::wait(bellwire(&folder).env(name, value).spawn().unwrap());
        let output = done.stderr;
        assert_eq!(done.code, Some(2), "{output}");
        assert!(output.contains(expected) && output.lines().count() == 1, "{output}");
    }
    std::fs::remove_dir_all(&folder).unwrap();
}

/// The error of a start that fails because of these settings: one line.
fn refused(folder: &Path, settings: &[(&str, &str)]) -> String {
    refusal(bellwire(folder).envs(settings.iter().copied()))
}

fn refusal(program: &mut Command) -> String {
    let done = Finished::wait(program.spawn().unwrap());
    let output = done.stderr;
    assert_eq!(done.code, Some(1), "{output}");
    assert_eq!(output.lines().count(), 1, "{output}");
    output
}

#[test]
fn an_address_that_is_in_use_is_named_with_its_setting() {
    let folder = folder("taken");
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let output = refused(&folder, &[("BELLWIRE_BIND", &address)]);
    assert!(
        output.contains(&format!("BELLWIRE_BIND={address}: cannot listen there: ")),
        "{output}"
    );
    assert!(output.contains("choose another port"), "{output}");
    let output = refused(&folder, &[("BELLWIRE_BIND", "203.0.113.7:80")]);
    assert!(output.contains("choose one it has"), "{output}");
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn a_database_that_does_not_answer_is_named_without_its_password() {
    let folder = folder("refused");
    let output =
        refused(&folder, &[("DATABASE_URL", "postgres://me:hush@127.0.0.1:1/site?password=hush")]);
    let expected = "bellwire: DATABASE_URL=postgres://me:…@127.0.0.1:1/site?password=…: \
                    cannot reach PostgreSQL: \
                    Connection refused (os error 111). Start PostgreSQL there, or correct the address";
    assert_eq!(output.trim_end().replace("os error 61", "os error 111"), expected);
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
#[ignore = "needs PostgreSQL, which bin/test provides"]
fn a_database_that_does_not_exist_is_named() {
    let folder = folder("nowhere");
    let nowhere = format!("{}/nowhere", store::postgres().rsplit_once('/').unwrap().0);
    let output = refused(&folder, &[("DATABASE_URL", &nowhere)]);
    assert!(
        output.contains("database \"nowhere\" does not exist. Create this database"),
        "{output}"
    );
    assert_eq!(output.matches("nowhere").count(), 2, "{output}");
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
#[cfg(unix)]
fn an_invalid_folder_or_database_file_is_named_with_its_setting() {
    let folder = folder("unfit");
    let output = refused(&folder, &[("BELLWIRE_DATA", "/dev/null/data")]);
    let expected = "BELLWIRE_DATA=/dev/null/data: cannot create the database file: Not a directory (os error 20). Give";
    assert!(output.contains(expected), "{output}");
    std::fs::write(
        folder.join("bellwire.db"),
        "this is no database, and long enough to be one".repeat(99),
    )
    .unwrap();
    let output = refused(&folder, &[]);
    let expected = format!(
        "BELLWIRE_DATA={}: cannot open the database file: file is not a database. Move",
        folder.display()
    );
    assert!(output.contains(&expected), "{output}");
    let url = format!("sqlite:{}/bellwire.db", folder.join("bellwire.db").display());
    let output = refused(&folder, &[("DATABASE_URL", &url)]);
    assert!(
        output.contains(&format!("DATABASE_URL={url}: cannot create the database file: ")),
        "{output}"
    );
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
#[cfg(unix)]
fn a_folder_without_write_permission_is_named_with_its_setting() {
    use std::os::unix::fs::PermissionsExt;
    let folder = folder("locked");
    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o555)).unwrap();
    // Root may write everywhere, unless that capability is removed.
    let is_root = std::fs::write(folder.join("probe"), "").is_ok();
    let mut program = Command::new(if is_root { "setpriv" } else { PROGRAM });
    program.args(["--bounding-set=-dac_override", PROGRAM].iter().filter(|_| is_root));
    let output = refusal(&mut with_settings(program, &folder));
    assert!(
        output.contains(
            "cannot create the database file: Permission denied (os error 13). Give the user"
        ),
        "{output}"
    );
    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o755)).unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
#[cfg(unix)]
fn an_sqlite_url_with_mode_rwc_creates_the_file() {
    let folder = folder("rwc");
    let url = format!("sqlite://{}/new.db?mode=rwc", folder.display());
    let mut command = bellwire(&folder);
    command.env("DATABASE_URL", url);
    drop(Server::start(command));
    assert!(folder.join("new.db").exists());
    std::fs::remove_dir_all(&folder).unwrap();
}
