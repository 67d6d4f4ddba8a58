//! Files that import each other, directly or through others.
//!
//! A folder's `mod.rs` and the files below it may import each other, as long as the circle stays
//! inside the folder. So each folder is examined without its `mod.rs`, and a circle counts if it
//! leads from one of the folder's parts into another.

use std::collections::{BTreeMap, BTreeSet};

use crate::graph::{Graph, components, way_back};
use crate::tree::{Import, Tree};

/// The files of a crate that lie on a circle, each with the imports of the shortest one.
pub fn circles(tree: &Tree) -> BTreeMap<String, Vec<Import>> {
    let (imports, parents) = (tree.imports(), tree.parents());
    let mut circles = BTreeMap::new();
    for folder in tree.files() {
        let graph = inside(folder, &imports, &parents);
        for component in components(&graph) {
            let parts: BTreeSet<_> =
                component.iter().map(|file| part(folder, file, &parents)).collect();
            if parts.len() > 1 {
                for file in component {
                    let way = way_back(&graph, file).unwrap_or_default();
                    circles.entry(file.to_owned()).or_insert_with(|| steps(&way, &imports));
                }
            }
        }
    }
    circles
}

/// The imports among the files below one.
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

/// The child of a folder's `mod.rs` which a file is, or is below.
fn part<'a>(folder: &str, file: &'a str, parents: &'a BTreeMap<String, String>) -> Option<&'a str> {
    let parent = parents.get(file)?;
    if parent == folder { Some(file) } else { part(folder, parent, parents) }
}

fn steps(way: &[&str], imports: &BTreeSet<Import>) -> Vec<Import> {
    let step =
        |two: &[&str]| imports.iter().find(|one| one.from == two[0] && one.to == two[1]).cloned();
    way.windows(2).filter_map(step).collect()
}
