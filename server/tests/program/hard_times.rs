//! A disk that is full, a process that may open no more files, a database that is away: seen from
//! outside.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::store::{Store, postgres};
use crate::support::{PROGRAM, Server, Visit, bellwire, folder, until, with_settings};

/// Changes a limit of a process that runs: no rights are needed for that.
#[cfg(target_os = "linux")]
fn limit(server: &Server, limit: &str) {
    let set = Command::new("prlimit").arg("--pid").arg(server.id().to_string()).arg(limit).status();
    assert!(set.unwrap().success(), "{limit}");
}

/// The process may write only so far into its files: the log of the database takes no more. What a
/// full disk does to a commit, this does, too.
#[tokio::test]
#[cfg(target_os = "linux")]
async fn when_the_disk_takes_no_more_reading_works_writing_is_refused_and_nothing_acknowledged_is_lost()
 {
    let folder = folder("full");
    let mut shell = Command::new("sh");
    shell.args(["-c", r#"trap "" XFSZ; exec "$0""#, PROGRAM]); // else the limit would end it
    let server = Server::start(with_settings(shell, &folder));
    let mut visit = Visit::to(&server.address, "").unwrap();
    visit.sign_up("Ada");
    assert_eq!(visit.post("/chat/", "name=full").unwrap().status, 303);
    let mut acknowledged = Vec::new();
    let mut say = |visit: &mut Visit, number: usize| {
        let answer =
            visit.post("/chat/full/", &format!("message={number}+{}", "x".repeat(3000))).unwrap();
        acknowledged.extend((answer.status == 303).then_some(number));
        answer
    };
    for number in 0..10 {
        assert_eq!(say(&mut visit, number).status, 303);
    }
    let size = std::fs::metadata(folder.join("bellwire.db-wal")).unwrap().len();
    limit(&server, &format!("--fsize={}:unlimited", size + 60_000));
    let refused = (10..100)
        .find_map(|number| Some(say(&mut visit, number)).filter(|answer| answer.status != 303));
    let refused = refused.expect("the limit should be reached");
    assert_eq!(refused.status, 503);
    assert!(refused.text.contains("nothing can be saved at the moment"), "{}", refused.text);
    for number in 100..120 {
        // Whether what is smaller still goes through is not the point: what is acknowledged has to
        // be there.
        say(&mut visit, number);
        let page = visit.get("/chat/full/").unwrap();
        assert!(page.status == 200 && page.text.contains("0 xxx"), "reading works");
    }
    limit(&server, "--fsize=unlimited:unlimited");
    for number in 200..210 {
        assert_eq!(say(&mut visit, number).status, 303, "it heals by itself");
    }
    until("it is told", || server.log().contains("The disk"));
    let log = server.log();
    assert_eq!(log.matches("The disk of the database takes no more").count(), 1, "{log}");
    server.kill();
    let messages = Store::sqlite(&folder).messages().await;
    let there = messages.iter().map(|(_, text)| text.split(' ').next().unwrap().parse().unwrap());
    assert_eq!(there.collect::<Vec<usize>>(), acknowledged);
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
#[cfg(target_os = "linux")]
fn when_no_more_files_may_be_opened_pages_are_still_read() {
    let folder = folder("files");
    let server = Server::start(bellwire(&folder));
    let mut visit = Visit::to(&server.address, "").unwrap();
    let cookie = visit.sign_up("Ada");
    assert_eq!(visit.post("/chat/", "name=files").unwrap().status, 303);
    let mut visits: Vec<_> = (0..16)
        .map(|_| {
            let mut visit = Visit::to(&server.address, &cookie).unwrap();
            assert_eq!(visit.get("/chat/").unwrap().status, 200);
            visit
        })
        .collect();
    let open = std::fs::read_dir(format!("/proc/{}/fd", server.id())).unwrap().count();
    limit(&server, &format!("--nofile={}:", open));
    std::thread::scope(|scope| {
        for visit in &mut visits {
            scope.spawn(move || {
                for _ in 0..10 {
                    assert_eq!(visit.get("/chat/files/").unwrap().status, 200);
                }
            });
        }
    });
    assert_eq!(visit.post("/chat/files/", "message=still+here").unwrap().status, 303);
    drop(server);
    std::fs::remove_dir_all(&folder).unwrap();
}

/// Carries bytes to PostgreSQL until it is cut.
struct Way {
    address: String,
    cut: Arc<AtomicBool>,
}

impl Way {
    fn to(server: String) -> Self {
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
                let ways = [(near.try_clone().unwrap(), far.try_clone().unwrap()), (far, near)];
                for (from, to) in ways {
                    let is_cut = is_cut.clone();
                    std::thread::spawn(move || carry(from, to, &is_cut));
                }
            }
        });
        Self { address, cut }
    }

    fn cut(&self) {
        self.cut.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(&self.address); // wakes the listener, so that it goes
        until("the way is cut", || TcpStream::connect(&self.address).is_err());
    }
}

fn carry(mut from: TcpStream, mut to: TcpStream, is_cut: &AtomicBool) {
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
async fn a_database_that_is_away_is_told_to_people_and_once_to_the_log_with_its_cause() {
    let folder = folder("away");
    let store = Store::postgres("away").await;
    let (direct, server) = (store.url(), postgres());
    let host = server.rsplit('/').nth(1).unwrap().rsplit('@').next().unwrap();
    let way = Way::to(host.to_owned());
    let mut command = bellwire(&folder);
    command.env("DATABASE_URL", direct.replace(host, &way.address));
    let server = Server::start(command);
    let mut visit = Visit::to(&server.address, "").unwrap();
    visit.sign_up("Ada");
    way.cut();
    for _ in 0..8 {
        let page = visit.get("/chat/").unwrap();
        assert_eq!(page.status, 503);
        assert!(
            page.text.contains("The database cannot be reached at the moment"),
            "{}",
            page.text
        );
    }
    until("it is told", || server.log().contains("ERROR"));
    let log = server.log();
    // Who watches the database at times may warn, beside it, of what that means for them.
    let lines: Vec<_> = log.lines().filter(|line| line.contains("ERROR")).collect();
    assert!(lines.len() == 1 && lines[0].contains("The database cannot be reached"), "{log}");
    assert!(lines[0].contains("error="), "{log}");
    drop(server);
    store.remove().await;
    std::fs::remove_dir_all(&folder).unwrap();
}
