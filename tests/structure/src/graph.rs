//! Strongly connected components of a graph, and the shortest circle through a node.

use std::collections::{BTreeMap, BTreeSet};

/// From each node to the ones that it leads to.
pub type Graph<'a> = BTreeMap<&'a str, BTreeSet<&'a str>>;

/// Everything that can be reached from a node by one step or more.
pub fn reached<'a>(graph: &Graph<'a>, from: &str) -> BTreeSet<&'a str> {
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

/// The sets of nodes that all lead to each other.
pub fn components<'a>(graph: &Graph<'a>) -> Vec<BTreeSet<&'a str>> {
    let reached: BTreeMap<_, _> = graph.keys().map(|node| (*node, reached(graph, node))).collect();
    let mut components: Vec<BTreeSet<&str>> = Vec::new();
    for (node, beyond) in &reached {
        if beyond.contains(node) && !components.iter().any(|component| component.contains(node)) {
            components.push(
                beyond
                    .iter()
                    .copied()
                    .filter(|other| reached.get(other).is_some_and(|back| back.contains(node)))
                    .collect(),
            );
        }
    }
    components
}

/// The shortest way from a node back to it, with the node at both ends.
pub fn way_back<'a>(graph: &Graph<'a>, node: &'a str) -> Option<Vec<&'a str>> {
    let mut ways = std::collections::VecDeque::from([vec![node]]);
    let mut seen = BTreeSet::new();
    while let Some(way) = ways.pop_front() {
        for next in graph.get(way.last()?).into_iter().flatten() {
            let longer: Vec<_> = way.iter().copied().chain([*next]).collect();
            if *next == node {
                return Some(longer);
            }
            if seen.insert(*next) {
                ways.push_back(longer);
            }
        }
    }
    None
}
