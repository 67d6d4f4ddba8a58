//! Tests that each line of docs/browser.md has a test, which tests/structure/browser.txt names.

use std::collections::BTreeSet;

use bellwire_structure::workspace::{read, root};

const DOCUMENT: &str = "docs/browser.md";
const LIST: &str = "tests/structure/browser.txt";

/// A row of the list.
struct Row<'a> {
    name: &'a str,
    path: &'a str,
    test: &'a str,
}

/// The names in bold, each of which stands for a line of the document.
fn names(document: &str) -> BTreeSet<&str> {
    let bold = document.split("**`").skip(1);
    bold.filter_map(|rest| Some(rest.split_once("`**")?.0)).collect()
}

fn rows(list: &str) -> impl Iterator<Item = Row<'_>> {
    let lines = list.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    lines.map(|line| {
        let mut cells = line.splitn(3, ": ");
        let mut cell = || cells.next().unwrap_or_default();
        Row { name: cell(), path: cell(), test: cell() }
    })
}

/// Whether the text of a file contains a test: a Rust function, or a `test("…")` of JavaScript.
fn has_test(file: &str, test: &str) -> bool {
    let is_rust = !test.is_empty() && file.contains(&format!("fn {test}("));
    is_rust || file.contains(&format!("\ntest(\"{test}\","))
}

/// What is wrong with the list, one line each.
fn faults(document: &str, list: &str, read: impl Fn(&str) -> Option<String>) -> Vec<String> {
    let (names, rows): (_, Vec<_>) = (names(document), rows(list).collect());
    let listed: BTreeSet<_> = rows.iter().map(|row| row.name).collect();
    let untested = names.difference(&listed).map(|name| format!("`{name}` has no test"));
    let unknown = listed.difference(&names).map(|name| format!("`{name}` is not in {DOCUMENT}"));
    let missing = rows.iter().filter(|row| {
        let file = read(row.path).unwrap_or_default();
        !has_test(&file, row.test)
    });
    let missing =
        missing.map(|Row { name, path, test }| format!("`{name}`: {path} has no test `{test}`"));
    untested.chain(unknown).chain(missing).collect()
}

#[test]
fn every_line_of_the_browser_contract_names_a_test_that_exists() {
    let file = |path: &str| std::fs::read_to_string(root().join(path)).ok();
    let document = read(DOCUMENT);
    assert!(names(&document).len() > 100, "{DOCUMENT} was read");
    let faults = faults(&document, &read(LIST), file);
    assert!(
        faults.is_empty(),
        "\n{}\n\nA line of {DOCUMENT} is a promise. Name the test that fails if it is broken in \
         {LIST}, or write one.",
        faults.join("\n")
    );
}

#[test]
fn a_line_without_a_test_an_unknown_line_and_a_missing_test_are_reported() {
    let document = "| **`one`** | see **`two`** |\n| **`bellwire:<a>`** | text |";
    let file = |path: &str| {
        (path == "a.rs").then(|| "async fn it_works() {}\ntest(\"it: works\", () => {})".to_owned())
    };
    let complete =
        "# List\none: a.rs: it_works\ntwo: a.rs: it: works\nbellwire:<a>: a.rs: it_works\n";
    assert_eq!(faults(document, complete, file), [""; 0]);
    let wrong = "one: a.rs: it_work\none: a.rs: works\none: b.rs: it_works\n\
        two: a.rs\nfour: a.rs: it_works\n";
    let expected = [
        "`bellwire:<a>` has no test",
        "`four` is not in docs/browser.md",
        "`one`: a.rs has no test `it_work`",
        "`one`: a.rs has no test `works`",
        "`one`: b.rs has no test `it_works`",
        "`two`: a.rs has no test ``",
    ];
    assert_eq!(faults(document, wrong, file), expected);
}
