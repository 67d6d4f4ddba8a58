//! Strongly connected components of a graph, and the shortest cycle through a node.

use std::collections::{BTreeMap, BTreeSet};

/// The successors of each node.
pub type Graph<'a> = BTreeMap<&'a str, BTreeSet<&'a str>>;

/// All nodes that are reachable from a node by at least one edge.
pub fn reachable<'a>(graph: &Graph<'a>, from: &str) -> BTreeSet<&'a str> {
    let (mut reached, mut open) = (BTreeSet::new(), vec![from]);
    while let Some(node) = open.pop() {
        for next in graph.get(node).into_iter().flatten() {
            if reached.insert(*next) {
                open.push(next);
            }
        }
    }
    reached
}

/// The sets of mutually reachable nodes.
pub fn components<'a>(graph: &Graph<'a>) -> Vec<BTreeSet<&'a str>> {
    let reachable: BTreeMap<_, _> =
        graph.keys().map(|node| (*node, reachable(graph, node))).collect();
    let mut components: Vec<BTreeSet<&str>> = Vec::new();
    for (node, beyond) in &reachable {
        if beyond.contains(node) && !components.iter().any(|component| component.contains(node)) {
            components.push(
                beyond
                    .iter()
                    .copied()
                    .filter(|other| reachable.get(other).is_some_and(|back| back.contains(node)))
                    .collect(),
            );
        }
    }
    components
}

/// The shortest cycle through a node, with the node at both ends.
pub fn shortest_cycle<'a>(graph: &Graph<'a>, node: &'a str) -> Option<Vec<&'a str>> {
    let mut paths = std::collections::VecDeque::from([vec![node]]);
    let mut seen = BTreeSet::new();
    while let Some(path) = paths.pop_front() {
        for next in graph.get(path.last()?).into_iter().flatten() {
            let longer: Vec<_> = path.iter().copied().chain([*next]).collect();
            if *next == node {
                return Some(longer);
            }
            if seen.insert(*next) {
                paths.push_back(longer);
            }
        }
    }
    None
}
