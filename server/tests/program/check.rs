//! `bellwire check` and `bellwire migrate`.

use std::net::TcpListener;
use std::path::Path;
use std::process::Command;

use crate::support::{Done, PROGRAM, Server, bellwire, folder, with_settings};

/// Runs `command`, and returns its code and what it said.
fn run(command: &mut Command) -> (Option<i32>, String) {
    let done = Done::of(command.spawn().unwrap());
    (done.code, done.said)
}

fn check(folder: &Path, settings: &[(&str, &str)]) -> (Option<i32>, String) {
    run(bellwire(folder).arg("check").envs(settings.iter().copied()))
}

/// What it says about one thing.
fn line<'a>(said: &'a str, what: &str) -> &'a str {
    said.lines()
        .find(|line| line[7..].starts_with(&format!("{what}:")))
        .unwrap_or_else(|| panic!("{what}: {said}"))
}

#[test]
fn where_nothing_is_set_everything_is_right() {
    let folder = folder("right");
    let (code, said) = check(&folder, &[("BELLWIRE_CONNECTIONS", "100")]);
    assert_eq!(code, Some(0), "{said}");
    assert!(
        said.lines().count() == 7 && said.lines().all(|line| line.starts_with("OK     ")),
        "{said}"
    );
    assert!(line(&said, "database").contains("is not there yet; the first start makes it"));
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0, "looking leaves nothing behind");
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn what_is_wrong_is_named_with_what_mends_it() {
    let folder = folder("mend");
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    std::fs::write(folder.join("file"), "").unwrap();
    let in_a_file = folder.join("file").join("data").display().to_string();
    for (name, value, what, mend) in [
        ("BELLWIRE_COLOUR", "red", "settings", "expected a setting that exists"),
        ("BELLWIRE_BIND", &*taken, "listening", "BELLWIRE_BIND to a free port"),
        ("BELLWIRE_BIND", "192.0.2.1:8000", "listening", "an address that this machine has"),
        ("BELLWIRE_DATA", &in_a_file, "data folder", "BELLWIRE_DATA to another folder"),
        (
            "DATABASE_URL",
            "postgres://nobody:secret@127.0.0.1:1/site",
            "database",
            "Set DATABASE_URL",
        ),
        ("BELLWIRE_URL", "https://chat.example", "public address", "Set BELLWIRE_TRUSTED_PROXIES"),
    ] {
        let (code, said) = check(&folder, &[(name, value)]);
        assert_eq!(code, Some(1), "{said}");
        let line = line(&said, what);
        assert!(line.starts_with("WRONG  ") && line.contains(mend), "{line}");
        assert!(!said.contains("secret"), "{said}");
    }
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
#[cfg(unix)]
fn too_few_files_for_the_connections_are_found_before_they_are_missing() {
    let folder = folder("files");
    let limited = |connections: &str| {
        let mut shell = Command::new("sh");
        shell.args(["-c", r#"ulimit -n 300 && exec "$0" check"#, PROGRAM]);
        run(with_settings(shell, &folder).env("BELLWIRE_CONNECTIONS", connections))
    };
    let (code, said) = limited("200");
    assert_eq!(code, Some(0), "{said}");
    let (code, said) = limited("201");
    assert_eq!(code, Some(1), "{said}");
    assert!(line(&said, "files").contains("set BELLWIRE_CONNECTIONS to 200 at most"), "{said}");
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn migrations_to_come_are_counted_and_migrate_applies_them() {
    let folder = folder("migrates");
    std::fs::write(folder.join("bellwire.db"), "").unwrap();
    let (code, said) = check(&folder, &[]);
    assert_eq!(code, Some(1), "{said}");
    assert!(
        line(&said, "database").contains("migrations to come. `bellwire migrate` applies them"),
        "{said}"
    );
    for _ in 0..2 {
        let (code, said) = run(bellwire(&folder).arg("migrate"));
        assert_eq!(code, Some(0), "{said}");
        assert!(said.trim_end().ends_with("bellwire.db is up to date"), "{said}");
    }
    assert!(line(&check(&folder, &[]).1, "database").contains("answers and is up to date"));
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
#[cfg(unix)]
fn beside_a_running_site_the_address_is_ours() {
    let folder = folder("ours");
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let bind = [("BELLWIRE_BIND", &*free), ("BELLWIRE_CONNECTIONS", "100")];
    let mut command = bellwire(&folder);
    command.envs(bind);
    let server = Server::start(command);
    let (code, said) = check(&folder, &bind);
    assert!(server.stop().0.success());
    assert_eq!(code, Some(0), "{said}");
    assert!(line(&said, "listening").contains("is served by Bellwire already"), "{said}");
    std::fs::remove_dir_all(&folder).unwrap();
}
