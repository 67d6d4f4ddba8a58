//! Checks that docs/limits.md, the document of limits and close codes, matches the code.

use std::collections::BTreeMap;
use std::path::Path;

/// Reads a file of the repository.
fn file(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The texts between backticks.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// The cells of every row of every table.
fn rows(document: &str) -> Vec<Vec<&str>> {
    let rows = document.lines().filter(|line| line.starts_with("| "));
    rows.map(|row| row.trim_matches('|').split(" | ").map(str::trim).collect()).collect()
}

#[test]
fn every_limit_in_the_document_names_an_existing_test() {
    let document = file("docs/limits.md");
    for row in rows(&document).iter().filter(|row| row.last() != Some(&"test")) {
        let tests: Vec<_> = quoted(row.last().unwrap()).collect();
        assert!(!tests.is_empty(), "no test for: {}", row[0]);
        for test in tests {
            let (path, name) = test.split_once("::").expect("a path and a name");
            assert!(
                file(path).contains(&format!("fn {name}(")),
                "docs/limits.md names {test}, which does not exist"
            );
        }
    }
}

#[test]
fn every_limit_setting_and_every_field_of_limits_is_in_the_document() {
    let (documented, document) = (file("docs/settings.md"), file("docs/limits.md"));
    let limits = file("crates/bellwire/src/limits.rs");
    let settings =
        documented.split_once("## Limits").unwrap().1.split_once("## Commands").unwrap().0;
    let settings: Vec<_> =
        settings.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()).collect();
    let fields = limits.split_once("pub struct Limits {").unwrap().1.split_once("\n}").unwrap().0;
    let fields: Vec<_> = fields
        .lines()
        .filter_map(|line| line.trim().strip_prefix("pub ")?.split(':').next())
        .collect();
    assert!(settings.len() >= 18 && fields.len() >= 14, "{settings:?} {fields:?}");
    for name in settings.into_iter().chain(fields) {
        assert!(document.contains(&format!("`{name}`")), "docs/limits.md does not mention {name}");
    }
}

#[test]
fn every_close_code_is_in_the_document_and_final_if_the_browser_treats_it_as_final() {
    let (document, code) = (file("docs/limits.md"), file("crates/bellwire/src/transport/close.rs"));
    let browser = file("crates/bellwire/assets/src/bellwire/socket.js");
    let finals = browser.split_once("const FINAL = [").unwrap().1.split_once(']').unwrap().0;
    let finals: Vec<&str> = finals.split(',').map(str::trim).collect();
    let constants = code
        .lines()
        .filter_map(|line| line.trim().strip_prefix("pub const ")?.split_once(": u16 = "));
    let constants: BTreeMap<_, _> =
        constants.map(|(name, code)| (code.trim_end_matches(';'), name)).collect();
    let table = document.split_once("## Close codes").unwrap().1;
    let all = rows(table);
    let documented: BTreeMap<_, _> =
        all.iter().skip(1).map(|row| (row[0], quoted(row[1]).next().unwrap())).collect();
    assert_eq!(documented, constants);
    for row in &all[1..] {
        assert_eq!(
            row[3],
            if finals.contains(&row[0]) { "final" } else { "reconnects" },
            "{}",
            row[0]
        );
    }
}
