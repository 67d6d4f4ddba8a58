//! Mentions in a text: an `@` at the beginning of a word, followed by a name of up to four words.

use std::collections::HashMap;

use bellwire_site::accounts::name_key;
use bellwire_site::bellwire::Html;
use bellwire_site::markup::{Element, Marks, Node, attaches};

use super::Mention;

/// The maximum number of `@` in a message that are checked.
const MENTIONS: usize = 20;
/// The maximum number of words in a name that can be mentioned.
const WORDS: usize = 4;
/// The maximum number of characters that are checked for a name. A name has at most 64, but a
/// composed character can be typed as several.
const CHARS: usize = 128;
/// The maximum number of positions in one word at which a name may end: `Ada`, `Ada!`, `Ada!?`.
const ENDS: usize = 6;

/// Returns the possible names, for a lookup in the database.
pub(super) fn candidates(nodes: &[Node]) -> Vec<String> {
    let mut all = Vec::new();
    for place in places(nodes) {
        for key in place.names().map(name_key).filter(|key| !key.is_empty()) {
            if !all.contains(&key) {
                all.push(key);
            }
        }
    }
    all
}

/// Marks the mentions of these users in the nodes. The longest matching name wins.
pub(super) fn marks(nodes: &[Node], people: &[Mention]) -> Marks {
    let mut marks = Marks::new();
    if people.is_empty() {
        return marks;
    }
    let people: HashMap<String, &Mention> =
        people.iter().map(|mention| (name_key(&mention.name), mention)).collect();
    for place in places(nodes) {
        let named = place
            .names()
            .find_map(|name| people.get(&name_key(name)).map(|mention| (name.len(), *mention)));
        if let Some((length, mention)) = named {
            let range = place.at..place.at + '@'.len_utf8() + length;
            marks.entry(place.node).or_default().push((range, mark(mention)));
        }
    }
    marks
}

fn mark(mention: &Mention) -> Html {
    let name = Html::text(&mention.name);
    Html::trusted(format!(
        "<span class=\"mention\" data-user=\"{}\">@{name}</span>",
        mention.user_id
    ))
}

/// An `@` that may begin a mention.
struct Place<'a> {
    node: usize,
    at: usize,
    /// The text after the `@`.
    rest: &'a str,
    /// The positions in `rest` where a name may end, in ascending order.
    ends: Vec<usize>,
}

impl<'a> Place<'a> {
    fn names(&self) -> impl Iterator<Item = &'a str> {
        self.ends.iter().rev().map(|end| &self.rest[..*end])
    }
}

fn places(nodes: &[Node]) -> Vec<Place<'_>> {
    let mut places = Vec::new();
    let mut before = None;
    let mut open = Vec::new();
    for (number, node) in nodes.iter().enumerate() {
        match node {
            Node::Open(element) => {
                open.push(element);
                before = before.filter(|_| element.is_inline());
            }
            Node::Close => {
                let inline = open.pop().is_some_and(Element::is_inline);
                before = before.filter(|_| inline);
            }
            Node::Text(text) => {
                if !open.iter().any(|element| matches!(element, Element::Link(_))) {
                    places.extend(places_in(text, before).map(|(at, rest, ends)| Place {
                        node: number,
                        at,
                        rest,
                        ends,
                    }));
                }
                before = text.chars().next_back();
            }
            Node::Code(_) | Node::Break | Node::Rule => before = None,
        }
        if places.len() >= MENTIONS {
            places.truncate(MENTIONS);
            break;
        }
    }
    places
}

fn places_in(text: &str, before: Option<char>) -> impl Iterator<Item = (usize, &str, Vec<usize>)> {
    let begins = move |at: usize| {
        let before = text[..at].chars().next_back().or(before);
        !before.is_some_and(|c| in_word(c) || matches!(c, '@' | '_'))
    };
    let all = text.match_indices('@').filter(move |(at, _)| begins(*at));
    all.map(|(at, sign)| (at, &text[at + sign.len()..]))
        .map(|(at, rest)| (at, rest, ends(rest)))
        .filter(|(_, _, ends)| !ends.is_empty())
        .take(MENTIONS)
}

/// Returns the positions where a name at the beginning of the text may end, in ascending order.
fn ends(rest: &str) -> Vec<usize> {
    let chars: Vec<(usize, char)> = rest.char_indices().take(CHARS).collect();
    let (mut all, mut words, mut in_this) = (Vec::new(), 1, 0);
    for (number, &(at, c)) in chars.iter().enumerate() {
        let before = number.checked_sub(1).map(|number| chars[number].1);
        if c == '@' || (number == 0 && c.is_whitespace()) {
            break;
        }
        if c.is_whitespace() {
            let begins = before.is_some_and(|c| !c.is_whitespace());
            (words, in_this) = if begins { (words + 1, 0) } else { (words, in_this) };
        } else if words > WORDS {
            break;
        } else if in_this < ENDS && may_end(before, c, &rest[at + c.len_utf8()..]) {
            in_this += 1;
            all.push(at + c.len_utf8());
        }
    }
    all
}

/// Returns whether a name may end after `c`, which is between `before` and `after`.
fn may_end(before: Option<char>, c: char, after: &str) -> bool {
    let mut following = after.chars();
    let (next, second) = (following.next(), following.next());
    let word = |c: Option<char>| c.is_some_and(in_word);
    match next {
        None => true,
        Some(next) if next.is_whitespace() => true,
        Some(next) if attaches(next) || c == '\u{200D}' => false,
        Some(next) if in_word(next) => !(in_word(c) || joins(c) && word(before)),
        // `Ada's` mentions Ada, but `O'Neill` does not mention O.
        Some('\'' | '’') if in_word(c) && second == Some('s') => !word(following.next()),
        Some(next) => !(joins(next) && in_word(c) && word(second)),
    }
}

fn in_word(c: char) -> bool {
    c.is_alphanumeric() || attaches(c)
}

/// Returns whether the character joins two words into one.
fn joins(c: char) -> bool {
    matches!(c, '-' | '_' | '.' | '\'' | '’' | '@' | '·' | '‐' | '‑')
}
