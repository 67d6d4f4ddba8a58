//! Renders nodes as one line of plain text.

use crate::ast::Node;
use crate::characters::attaches;

/// The mark of a shortened line.
const ELLIPSIS: char = '…';

/// Renders at most `chars` characters of the nodes.
pub(crate) fn render(nodes: &[Node], chars: usize) -> String {
    let mut all = String::new();
    for node in nodes {
        match node {
            Node::Text(text) | Node::Code(text) => all.push_str(text),
            Node::Open(element) if element.is_inline() => {}
            Node::Open(_) | Node::Break | Node::Rule => all.push(' '),
            Node::Close => {}
        }
    }
    let line = all.split_whitespace().collect::<Vec<_>>().join(" ");
    truncated(line, chars)
}

/// Truncates the line between visible characters: combining marks stay with their character.
fn truncated(mut line: String, chars: usize) -> String {
    if line.char_indices().nth(chars).is_none() {
        return line;
    }
    let fits: Vec<(usize, char)> = line.char_indices().take(chars).collect();
    // At least the last character of `fits` is dropped, to leave space for the ellipsis.
    let is_boundary = |at: &usize| !attaches(fits[*at].1) && fits[at - 1].1 != '\u{200D}';
    let cut = (1..fits.len()).rev().find(is_boundary).unwrap_or(fits.len().saturating_sub(1));
    line.truncate(fits.get(cut).map_or(0, |(at, _)| *at));
    line.truncate(line.trim_end().len());
    if chars > 0 {
        line.push(ELLIPSIS);
    }
    line
}
