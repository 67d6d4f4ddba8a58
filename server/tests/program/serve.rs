//! Starting and stopping.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command};

use crate::{bellwire, folder};

/// Waits for the greeting; returns it.
pub(crate) fn greeting(child: &mut Child) -> String {
    let mut lines = BufReader::new(child.stdout.as_mut().unwrap()).lines();
    let said = lines.by_ref().map_while(Result::ok).take_while(|line| !line.contains("Ctrl-C"));
    said.collect::<Vec<_>>().join("\n")
}

#[test]
#[cfg(unix)]
fn it_says_where_it_is_and_what_to_do_next_and_ends_when_asked_to() {
    let folder = folder("greets");
    let mut child = bellwire(&folder).spawn().unwrap();
    let said = greeting(&mut child);
    assert!(said.contains("Bellwire is running at http://127.0.0.1:"), "{said}");
    assert!(said.contains("the first visitor becomes the administrator"), "{said}");
    assert!(folder.join("bellwire.db").exists());
    let asked = Command::new("kill").arg(child.id().to_string()).status().unwrap();
    assert!(asked.success());
    assert!(child.wait().unwrap().success());
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn a_wrong_setting_is_named_and_nothing_is_started() {
    let folder = folder("wrong");
    for (name, value, expected) in [
        ("BELLWIRE_BIND", "8000", "BELLWIRE_BIND=8000: expected an IP address and a port"),
        ("BELLWIRE_COLOUR", "red", "BELLWIRE_COLOUR=red: expected a setting that exists"),
        ("REDIS_URL", "redis://127.0.0.1", "REDIS_URL=redis://127.0.0.1: expected no value yet"),
    ] {
        let output = bellwire(&folder).env(name, value).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(expected) && said.lines().count() == 1, "{said}");
    }
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn an_address_that_is_taken_is_named_with_its_setting() {
    let folder = folder("taken");
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let output = bellwire(&folder).env("BELLWIRE_BIND", &address).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains(&format!("cannot listen on {address} (BELLWIRE_BIND)")), "{said}");
    std::fs::remove_dir_all(&folder).unwrap();
}
