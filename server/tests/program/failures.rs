//! Failures seen from outside: a full disk, an exhausted file limit, an unreachable database.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::store::{Store, postgres};
use crate::support::{HttpClient, PROGRAM, Server, bellwire, folder, wait_until, with_settings};

/// Changes a limit of the running server. Needs no privileges.
#[cfg(target_os = "linux")]
fn limit(server: &Server, limit: &str) {
    let set = Command::new("prlimit").arg("--pid").arg(server.id().to_string()).arg(limit).status();
    assert!(set.unwrap().success(), "{limit}");
}

/// Limits the size of files that the process may write, so that the write-ahead log cannot grow. A
/// commit then fails as it does on a full disk.
#[tokio::test]
#[cfg(target_os = "linux")]
async fn on_a_full_disk_reads_work_writes_are_refused_and_no_acknowledged_message_is_lost() {
    let folder = folder("full");
    let mut shell = Command::new("sh");
    // The trap is necessary: the signal of the limit would end the process.
    shell.args(["-c", r#"trap "" XFSZ; exec "$0""#, PROGRAM]);
    let server = Server::start(with_settings(shell, &folder));
    let mut client = HttpClient::connect(&server.address, "").unwrap();
    client.sign_up("Ada");
    assert_eq!(client.post("/chat/", "name=full").unwrap().status, 303);
    let mut acknowledged = Vec::new();
    let mut post_message = |client: &mut HttpClient, number: usize| {
        let answer =
            client.post("/chat/full/", &format!("message={number}+{}", "x".repeat(3000))).unwrap();
        acknowledged.extend((answer.status == 303).then_some(number));
        answer
    };
    for number in 0..10 {
        assert_eq!(post_message(&mut client, number).status, 303);
    }
    let size = std::fs::metadata(folder.join("bellwire.db-wal")).unwrap().len();
    limit(&server, &format!("--fsize={}:unlimited", size + 60_000));
    let refused = (10..100).find_map(|number| {
        Some(post_message(&mut client, number)).filter(|answer| answer.status != 303)
    });
    let refused = refused.expect("the limit should be reached");
    assert_eq!(refused.status, 503);
    assert!(refused.text.contains("nothing can be saved at the moment"), "{}", refused.text);
    for number in 100..120 {
        // A smaller message may still be stored. Only acknowledged messages must be.
        post_message(&mut client, number);
        let page = client.get("/chat/full/").unwrap();
        assert!(page.status == 200 && page.text.contains("0 xxx"), "reading works");
    }
    limit(&server, "--fsize=unlimited:unlimited");
    for number in 200..210 {
        assert_eq!(post_message(&mut client, number).status, 303, "it recovers by itself");
    }
    wait_until("the failure is logged", || server.log().contains("The disk"));
    let log = server.log();
    assert_eq!(log.matches("The disk of the database is full").count(), 1, "{log}");
    server.kill();
    let messages = Store::sqlite(&folder).messages().await;
    let stored = messages.iter().map(|(_, text)| text.split(' ').next().unwrap().parse().unwrap());
    assert_eq!(stored.collect::<Vec<usize>>(), acknowledged);
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
#[cfg(target_os = "linux")]
fn pages_are_served_after_the_file_limit_is_reached() {
    let folder = folder("files");
    let server = Server::start(bellwire(&folder));
    let mut client = HttpClient::connect(&server.address, "").unwrap();
    let cookie = client.sign_up("Ada");
    assert_eq!(client.post("/chat/", "name=files").unwrap().status, 303);
    let mut clients: Vec<_> = (0..16)
        .map(|_| {
            let mut client = HttpClient::connect(&server.address, &cookie).unwrap();
            assert_eq!(client.get("/chat/").unwrap().status, 200);
            client
        })
        .collect();
    let open = std::fs::read_dir(format!("/proc/{}/fd", server.id())).unwrap().count();
    limit(&server, &format!("--nofile={}:", open));
    std::thread::scope(|scope| {
        for client in &mut clients {
            scope.spawn(move || {
                for _ in 0..10 {
                    assert_eq!(client.get("/chat/files/").unwrap().status, 200);
                }
            });
        }
    });
    assert_eq!(client.post("/chat/files/", "message=still+here").unwrap().status, 303);
    drop(server);
    std::fs::remove_dir_all(&folder).unwrap();
}

/// A TCP proxy to PostgreSQL that can be cut.
struct Proxy {
    address: String,
    cut: Arc<AtomicBool>,
}

impl Proxy {
    fn start(server: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let cut = Arc::new(AtomicBool::new(false));
        let is_cut = cut.clone();
        std::thread::spawn(move || {
            for near in listener.incoming().map_while(Result::ok) {
                if is_cut.load(Ordering::SeqCst) {
                    return;
                }
                let far = TcpStream::connect(&server).unwrap();
                let directions =
                    [(near.try_clone().unwrap(), far.try_clone().unwrap()), (far, near)];
                for (from, to) in directions {
                    let is_cut = is_cut.clone();
                    std::thread::spawn(move || copy_bytes(from, to, &is_cut));
                }
            }
        });
        Self { address, cut }
    }

    fn cut(&self) {
        self.cut.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(&self.address); // wakes the listener, so that it ends
        wait_until("the proxy is cut", || TcpStream::connect(&self.address).is_err());
    }
}

fn copy_bytes(mut from: TcpStream, mut to: TcpStream, is_cut: &AtomicBool) {
    let mut bytes = [0; 8192];
    while let Ok(some @ 1..) = from.read(&mut bytes) {
        if is_cut.load(Ordering::SeqCst) || to.write_all(&bytes[..some]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(std::net::Shutdown::Both);
    let _ = from.shutdown(std::net::Shutdown::Both);
}

#[tokio::test]
#[ignore = "needs PostgreSQL, which bin/test provides"]
async fn an_unreachable_database_is_reported_to_users_and_logged_once_with_its_cause() {
    let folder = folder("away");
    let store = Store::postgres("away").await;
    let (direct, server) = (store.url(), postgres());
    let host = server.rsplit('/').nth(1).unwrap().rsplit('@').next().unwrap();
    let proxy = Proxy::start(host.to_owned());
    let mut command = bellwire(&folder);
    command.env("DATABASE_URL", direct.replace(host, &proxy.address));
    let server = Server::start(command);
    let mut client = HttpClient::connect(&server.address, "").unwrap();
    client.sign_up("Ada");
    proxy.cut();
    for _ in 0..8 {
        let page = client.get("/chat/").unwrap();
        assert_eq!(page.status, 503);
        assert!(
            page.text.contains("The database cannot be reached at the moment"),
            "{}",
            page.text
        );
    }
    wait_until("the failure is logged", || server.log().contains("ERROR"));
    let log = server.log();
    // Periodic tasks may log warnings about the consequences as well.
    let lines: Vec<_> = log.lines().filter(|line| line.contains("ERROR")).collect();
    assert!(lines.len() == 1 && lines[0].contains("The database cannot be reached"), "{log}");
    assert!(lines[0].contains("error="), "{log}");
    drop(server);
    store.remove().await;
    std::fs::remove_dir_all(&folder).unwrap();
}
