//! Circles of files inside a crate.

use std::collections::{BTreeMap, BTreeSet};

use bellwire_structure::circles::circles;
use bellwire_structure::tree::{Import, Tree};
use bellwire_structure::workspace::{crates, read, root};

const LIST: &str = "tests/structure/circles.txt";
const UPDATE: &str = "UPDATE_CIRCLES=1 cargo test -p bellwire-structure --test structure circles";
const HEADER: &str = "\
# Files that import each other, directly or through others. This list may only shrink.
# After files have moved or a circle is gone, this command rewrites it:
#     UPDATE_CIRCLES=1 cargo test -p bellwire-structure --test structure circles
";

/// All files of the workspace on a circle, each with the shortest one; and the number of files.
fn all_circles() -> (BTreeMap<String, Vec<Import>>, usize) {
    let (mut found, mut count) = (BTreeMap::new(), 0);
    for one in crates() {
        // A crate that reads the files of another is looked at there.
        let own = format!("{}/", one.folder);
        for root_file in &one.roots {
            let read = |path: &str| {
                let path = root().join(path);
                path.is_file().then(|| std::fs::read_to_string(path).ok()).flatten()
            };
            let tree = Tree::load(root_file, &read).unwrap_or_else(|error| panic!("{error}"));
            count += tree.files().len();
            found.extend(circles(&tree).into_iter().filter(|(file, _)| file.starts_with(&own)));
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

fn shown(circle: &[Import]) -> String {
    circle
        .iter()
        .map(|one| format!("\n    {}:{} imports {} ({})", one.from, one.line, one.to, one.path))
        .collect()
}

#[test]
fn no_file_is_in_a_circle_that_is_not_in_the_list() {
    let (found, count) = all_circles();
    assert!(count > 200, "only {count} files were found");
    if std::env::var_os("UPDATE_CIRCLES").is_some() {
        let list: String = found.keys().map(|file| format!("{file}\n")).collect();
        std::fs::write(root().join(LIST), format!("{HEADER}{list}"))
            .expect("the list can be written");
    }
    let listed = listed();
    let new: Vec<_> = found.iter().filter(|(file, _)| !listed.contains(*file)).collect();
    let told: String = new
        .iter()
        .map(|(file, circle)| format!("\n{file} is in a circle:{}", shown(circle)))
        .collect();
    assert!(
        new.is_empty(),
        "{told}\n\nRemove one of these imports: move what both need into a file below both. If files of the list were only \
         moved or joined, rewrite it and review the difference: no file may enter that was not in it under another name.\n    \
         {UPDATE}\n"
    );
    let gone: Vec<_> = listed.iter().filter(|file| !found.contains_key(*file)).cloned().collect();
    assert!(
        gone.is_empty(),
        "these files are in no circle any more: remove them from {LIST}, by hand or with\n    {UPDATE}\n\n{}",
        gone.join("\n")
    );
}
