//! Tests of import cycles between the files of a crate.

use std::collections::{BTreeMap, BTreeSet};

use bellwire_structure::cycles::cycles;
use bellwire_structure::tree::{Import, Tree};
use bellwire_structure::workspace::{crates, read, root};

const LIST: &str = "tests/structure/cycles.txt";
const UPDATE: &str =
    "UPDATE_CYCLES=1 cargo test -p bellwire-structure --test structure import_cycle";
const HEADER: &str = "\
# Files on an import cycle, direct or through other files. This list may only shrink.
# After files have moved or a cycle is removed, this command rewrites it:
#     UPDATE_CYCLES=1 cargo test -p bellwire-structure --test structure import_cycle
";

/// All files of the workspace on a cycle, each with its shortest cycle; and the number of files.
fn all_cycles() -> (BTreeMap<String, Vec<Import>>, usize) {
    let (mut found, mut count) = (BTreeMap::new(), 0);
    for one in crates() {
        // Files of another crate are examined in that crate.
        let own = format!("{}/", one.folder);
        for root_file in &one.roots {
            let read = |path: &str| {
                let path = root().join(path);
                path.is_file().then(|| std::fs::read_to_string(path).ok()).flatten()
            };
            let tree = Tree::load(root_file, &read).unwrap_or_else(|error| panic!("{error}"));
            count += tree.files().len();
            found.extend(cycles(&tree).into_iter().filter(|(file, _)| file.starts_with(&own)));
        }
    }
    (found, count)
}

fn listed() -> BTreeSet<String> {
    let text = read(LIST);
    text.lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty())
        .map(str::to_owned)
        .collect()
}

fn shown(cycle: &[Import]) -> String {
    cycle
        .iter()
        .map(|one| format!("\n    {}:{} imports {} ({})", one.from, one.line, one.to, one.path))
        .collect()
}

#[test]
fn only_listed_files_are_on_an_import_cycle() {
    let (found, count) = all_cycles();
    assert!(count > 200, "only {count} files were found");
    if std::env::var_os("UPDATE_CYCLES").is_some() {
        let list: String = found.keys().map(|file| format!("{file}\n")).collect();
        std::fs::write(root().join(LIST), format!("{HEADER}{list}"))
            .expect("the list can be written");
    }
    let listed = listed();
    let new: Vec<_> = found.iter().filter(|(file, _)| !listed.contains(*file)).collect();
    let report: String = new
        .iter()
        .map(|(file, cycle)| format!("\n{file} is on an import cycle:{}", shown(cycle)))
        .collect();
    assert!(
        new.is_empty(),
        "{report}\n\nRemove one of these imports: move the shared code into a file below both. If files of \
         the list were only moved or merged, rewrite the list and review the difference: it may \
         gain no file except under a new name.\n    {UPDATE}\n"
    );
    let stale: Vec<_> = listed.iter().filter(|file| !found.contains_key(*file)).cloned().collect();
    assert!(
        stale.is_empty(),
        "these files are no longer on a cycle: remove them from {LIST}, by hand or with\n    {UPDATE}\n\n{}",
        stale.join("\n")
    );
}

/// The files outside of `transport/` that it may import: positions in feeds, limits and counters.
const BELOW_TRANSPORT: [&str; 3] = ["position.rs", "layer_counters.rs", "limits.rs"];

#[test]
fn the_transports_of_the_framework_import_nothing_above_them() {
    let source = "crates/bellwire/src/";
    let read = |path: &str| std::fs::read_to_string(root().join(path)).ok();
    let tree =
        Tree::load(&format!("{source}lib.rs"), &read).unwrap_or_else(|error| panic!("{error}"));
    let transport = format!("{source}transport/");
    let imports: Vec<_> = tree
        .imports()
        .into_iter()
        .filter(|one| one.from.starts_with(&transport) && !one.to.starts_with(&transport))
        .collect();
    assert!(!imports.is_empty(), "{transport} was not found");
    let above: Vec<_> = imports
        .iter()
        .filter(|one| !BELOW_TRANSPORT.iter().any(|file| one.to == format!("{source}{file}")))
        .map(|one| format!("{}:{} imports {}", one.from, one.line, one.to))
        .collect();
    assert!(above.is_empty(), "{}", above.join("\n"));
}
