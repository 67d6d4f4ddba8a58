//! Who is called in a text: `@` at a word's beginning, and a name of up to four words after it.

use std::collections::HashMap;

use bellwire_site::accounts::name_key;
use bellwire_site::bellwire::Html;
use bellwire_site::markup::{Element, Marks, Node, attaches};

use super::Mention;

/// How many `@` of a message are looked at.
const MOST: usize = 20;
/// How many words a name has at most, to be called by it.
const WORDS: usize = 4;
/// How many characters are looked at for a name, which has 64 at most; composed ones can be typed
/// as several.
const CHARS: usize = 128;
/// At how many places inside one word a name may end: `Ada`, `Ada!`, `Ada!?`.
const ENDS: usize = 6;

/// What may be a name, for the database to say.
pub(super) fn candidates(pieces: &[Node]) -> Vec<String> {
    let mut all = Vec::new();
    for place in places(pieces) {
        for key in place.names().map(name_key).filter(|key| !key.is_empty()) {
            if !all.contains(&key) {
                all.push(key);
            }
        }
    }
    all
}

/// The people that are known, where they are named in the pieces: the longest name first.
pub(super) fn marks(pieces: &[Node], people: &[Mention]) -> Marks {
    let mut marks = Marks::new();
    if people.is_empty() {
        return marks;
    }
    let people: HashMap<String, &Mention> =
        people.iter().map(|who| (name_key(&who.name), who)).collect();
    for place in places(pieces) {
        let named = place
            .names()
            .find_map(|name| people.get(&name_key(name)).map(|who| (name.len(), *who)));
        if let Some((length, who)) = named {
            let range = place.at..place.at + '@'.len_utf8() + length;
            marks.entry(place.piece).or_default().push((range, mark(who)));
        }
    }
    marks
}

fn mark(who: &Mention) -> Html {
    let name = Html::text(&who.name);
    Html::trusted(format!("<span class=\"mention\" data-user=\"{}\">@{name}</span>", who.user_id))
}

/// An `@` that may begin a mention.
struct Place<'a> {
    piece: usize,
    at: usize,
    /// What follows the `@`.
    rest: &'a str,
    /// Where a name may end in it, the longest last.
    ends: Vec<usize>,
}

impl<'a> Place<'a> {
    fn names(&self) -> impl Iterator<Item = &'a str> {
        self.ends.iter().rev().map(|end| &self.rest[..*end])
    }
}

fn places(pieces: &[Node]) -> Vec<Place<'_>> {
    let mut places = Vec::new();
    let mut before = None;
    let mut open = Vec::new();
    for (number, piece) in pieces.iter().enumerate() {
        match piece {
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
                        piece: number,
                        at,
                        rest,
                        ends,
                    }));
                }
                before = text.chars().next_back();
            }
            Node::Code(_) | Node::Break | Node::Rule => before = None,
        }
        if places.len() >= MOST {
            places.truncate(MOST);
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
        .take(MOST)
}

/// Where a name at the beginning of the text may end, shortest first.
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

/// Whether a name may end after `c`, which stands between `before` and `after`.
fn may_end(before: Option<char>, c: char, after: &str) -> bool {
    let mut following = after.chars();
    let (next, second) = (following.next(), following.next());
    let word = |c: Option<char>| c.is_some_and(in_word);
    match next {
        None => true,
        Some(next) if next.is_whitespace() => true,
        Some(next) if attaches(next) || c == '\u{200D}' => false,
        Some(next) if in_word(next) => !(in_word(c) || joins(c) && word(before)),
        // `Ada's` calls Ada, `O'Neill` does not call O.
        Some('\'' | '’') if in_word(c) && second == Some('s') => !word(following.next()),
        Some(next) => !(joins(next) && in_word(c) && word(second)),
    }
}

fn in_word(c: char) -> bool {
    c.is_alphanumeric() || attaches(c)
}

/// What makes one word of two.
fn joins(c: char) -> bool {
    matches!(c, '-' | '_' | '.' | '\'' | '’' | '@' | '·' | '‐' | '‑')
}
