//! The pieces in one line.

use crate::ast::Node;
use crate::characters::attaches;

/// What says that there was more.
const MORE: char = '…';

/// At most `chars` characters of what the pieces say.
pub(crate) fn of(nodes: &[Node], chars: usize) -> String {
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
    shortened(line, chars)
}

/// Cuts before a whole character as one sees them: what is joined to the last one goes with it.
fn shortened(mut line: String, chars: usize) -> String {
    if line.char_indices().nth(chars).is_none() {
        return line;
    }
    let fits: Vec<(usize, char)> = line.char_indices().take(chars).collect();
    // The first of `fits` that is left out makes room for the sign that there was more.
    let whole = |at: &usize| !attaches(fits[*at].1) && fits[at - 1].1 != '\u{200D}';
    let cut = (1..fits.len()).rev().find(whole).unwrap_or(fits.len().saturating_sub(1));
    line.truncate(fits.get(cut).map_or(0, |(at, _)| *at));
    line.truncate(line.trim_end().len());
    if chars > 0 {
        line.push(MORE);
    }
    line
}
