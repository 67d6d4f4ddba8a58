//! Import cycles between files, direct or through other files.
//!
//! A folder's `mod.rs` and the files below it may import each other, as long as the cycle stays
//! inside the folder. So each folder is examined without its `mod.rs`, and a cycle counts if it
//! connects two parts of the folder.

use std::collections::{BTreeMap, BTreeSet};

use crate::graph::{Graph, components, shortest_cycle};
use crate::tree::{Import, Tree};

/// The files of a crate on a cycle, each with the imports of its shortest cycle.
pub fn cycles(tree: &Tree) -> BTreeMap<String, Vec<Import>> {
    let (imports, parents) = (tree.imports(), tree.parents());
    let mut cycles = BTreeMap::new();
    for folder in tree.files() {
        let graph = inside(folder, &imports, &parents);
        for component in components(&graph) {
            let parts: BTreeSet<_> =
                component.iter().map(|file| part(folder, file, &parents)).collect();
            if parts.len() > 1 {
                for file in component {
                    let path = shortest_cycle(&graph, file).unwrap_or_default();
                    cycles.entry(file.to_owned()).or_insert_with(|| steps(&path, &imports));
                }
            }
        }
    }
    cycles
}

/// The imports between the files below a folder.
fn inside<'a>(
    folder: &str,
    imports: &'a BTreeSet<Import>,
    parents: &'a BTreeMap<String, String>,
) -> Graph<'a> {
    let mut graph = Graph::new();
    let is_below = |file: &str| part(folder, file, parents).is_some();
    for Import { from, to, .. } in
        imports.iter().filter(|one| is_below(&one.from) && is_below(&one.to))
    {
        graph.entry(from).or_default().insert(to);
    }
    graph
}

/// The child of a folder's `mod.rs` that contains a file.
fn part<'a>(folder: &str, file: &'a str, parents: &'a BTreeMap<String, String>) -> Option<&'a str> {
    let parent = parents.get(file)?;
    if parent == folder { Some(file) } else { part(folder, parent, parents) }
}

fn steps(path: &[&str], imports: &BTreeSet<Import>) -> Vec<Import> {
    let step =
        |two: &[&str]| imports.iter().find(|one| one.from == two[0] && one.to == two[1]).cloned();
    path.windows(2).filter_map(step).collect()
}
