//! Tests of `bellwire check` and `bellwire migrate`.

use std::net::TcpListener;
use std::path::Path;
use std::process::Command;

use crate::support::{Finished, PROGRAM, Server, bellwire, folder, with_settings};

/// Runs `command`, and returns its exit code and standard output.
fn run(command: &mut Command) -> (Option<i32>, String) {
    let finished = Finished::wait(command.spawn().unwrap());
    (finished.code, finished.stdout)
}

fn check(folder: &Path, settings: &[(&str, &str)]) -> (Option<i32>, String) {
    run(bellwire(folder).arg("check").envs(settings.iter().copied()))
}

/// The line of the output about one item.
fn line<'a>(output: &'a str, what: &str) -> &'a str {
    output
        .lines()
        .find(|line| line[7..].starts_with(&format!("{what}:")))
        .unwrap_or_else(|| panic!("{what}: {output}"))
}

#[test]
fn without_settings_every_check_passes() {
    let folder = folder("right");
    let (code, output) = check(&folder, &[("BELLWIRE_CONNECTIONS", "100")]);
    assert_eq!(code, Some(0), "{output}");
    assert!(
        output.lines().count() == 7 && output.lines().all(|line| line.starts_with("OK     ")),
        "{output}"
    );
    assert!(line(&output, "database").contains("does not exist yet; the first start creates it"));
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0, "`check` creates no files");
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn every_problem_is_reported_with_its_fix() {
    let folder = folder("fix");
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    std::fs::write(folder.join("file"), "").unwrap();
    let in_a_file = folder.join("file").join("data").display().to_string();
    for (name, value, what, fix) in [
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
        let (code, output) = check(&folder, &[(name, value)]);
        assert_eq!(code, Some(1), "{output}");
        let line = line(&output, what);
        assert!(line.starts_with("WRONG  ") && line.contains(fix), "{line}");
        assert!(!output.contains("secret"), "{output}");
    }
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
#[cfg(unix)]
fn a_file_limit_too_low_for_the_connections_is_reported() {
    let folder = folder("files");
    let limited = |connections: &str| {
        let mut shell = Command::new("sh");
        shell.args(["-c", r#"ulimit -n 300 && exec "$0" check"#, PROGRAM]);
        run(with_settings(shell, &folder).env("BELLWIRE_CONNECTIONS", connections))
    };
    let (code, output) = limited("200");
    assert_eq!(code, Some(0), "{output}");
    let (code, output) = limited("201");
    assert_eq!(code, Some(1), "{output}");
    assert!(line(&output, "files").contains("set BELLWIRE_CONNECTIONS to 200 at most"), "{output}");
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn pending_migrations_are_counted_and_migrate_applies_them() {
    let folder = folder("migrates");
    std::fs::write(folder.join("bellwire.db"), "").unwrap();
    let (code, output) = check(&folder, &[]);
    assert_eq!(code, Some(1), "{output}");
    assert!(
        line(&output, "database").contains("pending migrations. `bellwire migrate` applies them"),
        "{output}"
    );
    for _ in 0..2 {
        let (code, output) = run(bellwire(&folder).arg("migrate"));
        assert_eq!(code, Some(0), "{output}");
        assert!(output.trim_end().ends_with("bellwire.db is up to date"), "{output}");
    }
    assert!(line(&check(&folder, &[]).1, "database").contains("is reachable and up to date"));
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
#[cfg(unix)]
fn the_address_of_a_running_site_is_recognized() {
    let folder = folder("ours");
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let bind = [("BELLWIRE_BIND", &*free), ("BELLWIRE_CONNECTIONS", "100")];
    let mut command = bellwire(&folder);
    command.envs(bind);
    let server = Server::start(command);
    let (code, output) = check(&folder, &bind);
    assert!(server.stop().0.success());
    assert_eq!(code, Some(0), "{output}");
    assert!(line(&output, "listening").contains("is already served by Bellwire"), "{output}");
    std::fs::remove_dir_all(&folder).unwrap();
}
