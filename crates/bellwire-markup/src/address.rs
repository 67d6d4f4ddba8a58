//! Which addresses a link may lead to, and where one stands bare in a text.

use std::ops::Range;

use pulldown_cmark::LinkType;

/// The longest name of a host, in characters.
const HOST_CHARS: usize = 253;

/// Where a link leads, if it leads anywhere we let anybody go: `http`, `https` and `mailto`.
///
/// Everything else is refused because it is not one of these, not because it is known to be bad.
/// `//` is asked for: browsers take `https:path` for a path on this very site.
pub(crate) fn href(kind: LinkType, address: &str) -> Option<String> {
    if address.chars().any(char::is_control) {
        return None;
    }
    let (scheme, rest) = match kind {
        LinkType::Email => ("mailto", address),
        _ => address.split_once(':')?,
    };
    let leads = match scheme.to_ascii_lowercase().as_str() {
        "http" | "https" => rest.strip_prefix("//").is_some_and(begins_a_host),
        "mailto" => rest.contains('@'),
        _ => false,
    };
    leads.then(|| match kind {
        LinkType::Email => format!("mailto:{address}"),
        _ => address.to_owned(),
    })
}

/// Where a bare address leads, as [`in_text`] found it.
pub(crate) fn href_of_bare(address: &str) -> String {
    match begins(address, "www.") {
        true => format!("http://{address}"),
        false => address.to_owned(),
    }
}

/// The bare addresses in a text: `http://…`, `https://…`, `mailto:…` and `www.…`, without the
/// punctuation and the brackets around them.
///
/// Each character is looked at a bounded number of times, whatever the text.
pub(crate) fn in_text(text: &str) -> impl Iterator<Item = Range<usize>> {
    let mut from = 0;
    std::iter::from_fn(move || {
        while let Some(at) = text[from..].find(['h', 'H', 'w', 'W', 'm', 'M']).map(|at| from + at) {
            from = at + 1;
            if !stands_alone(&text[..at]) {
                continue;
            }
            if let Some(length) = length(&text[at..]) {
                from = at + length;
                return Some(at..from);
            }
        }
        None
    })
}

/// How long the address is that the text begins with. What it must have is looked for nearby,
/// before all of it is read.
fn length(text: &str) -> Option<usize> {
    let scheme = ["https://", "http://", "mailto:", "www."]
        .into_iter()
        .find(|scheme| begins(text, scheme))?;
    let rest = &text[scheme.len()..];
    let has = |rest: &str, wanted| {
        rest.chars().take(HOST_CHARS).take_while(|c| !ends_it(*c)).any(|c| c == wanted)
    };
    let whole = |rest: &str| match scheme {
        "mailto:" => begins_a_host(rest) && has(rest, '@'),
        "www." => begins_a_host(rest) && has(rest, '.'),
        _ => begins_a_host(rest),
    };
    if !whole(rest) {
        return None;
    }
    let rest = &rest[..end(rest)];
    whole(rest).then(|| scheme.len() + rest.len())
}

fn begins(text: &str, with: &str) -> bool {
    text.as_bytes().get(..with.len()).is_some_and(|head| head.eq_ignore_ascii_case(with.as_bytes()))
}

fn begins_a_host(rest: &str) -> bool {
    rest.starts_with(|c: char| c.is_alphanumeric() || matches!(c, '[' | '_' | '%'))
}

/// Scripts without spaces put an address right behind a word, so only what an address is made of
/// counts as one.
fn stands_alone(before: &str) -> bool {
    let within =
        |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '/' | '@' | ':' | '+');
    !before.ends_with(within)
}

/// Where an address ends: before what cannot be in one and before a bracket nobody opened, and
/// never in punctuation.
fn end(text: &str) -> usize {
    let (mut end, mut open) = (0, Brackets::default());
    for (at, c) in text.char_indices() {
        if ends_it(c) || !open.take(c) {
            break;
        }
        if !matches!(
            c,
            '?' | '!'
                | '.'
                | ','
                | ':'
                | ';'
                | '*'
                | '_'
                | '~'
                | '\''
                | '('
                | '['
                | '{'
                | '–'
                | '—'
        ) {
            end = at + c.len_utf8();
        }
    }
    end
}

#[derive(Default)]
struct Brackets {
    round: usize,
    square: usize,
    curly: usize,
}

impl Brackets {
    /// Whether the character closes only what was opened.
    fn take(&mut self, c: char) -> bool {
        let (count, opens) = match c {
            '(' | ')' => (&mut self.round, c == '('),
            '[' | ']' => (&mut self.square, c == '['),
            '{' | '}' => (&mut self.curly, c == '{'),
            _ => return true,
        };
        let left = if opens { count.checked_add(1) } else { count.checked_sub(1) };
        *count = left.unwrap_or_default();
        left.is_some()
    }
}

/// What no address has in it: spaces, quotes, the punctuation of wide scripts, and what turns or
/// hides others.
fn ends_it(c: char) -> bool {
    c.is_whitespace()
        || c.is_control()
        || matches!(c, '<' | '>' | '"' | '`' | '|' | '\\' | '^' | '“' | '”' | '„' | '«' | '»' | '…')
        || matches!(c, '\u{3000}'..='\u{303F}' | '\u{FF01}'..='\u{FF0F}' | '\u{FF1A}'..='\u{FF20}' | '\u{FF3B}'..='\u{FF40}' | '\u{FF5B}'..='\u{FF65}')
        || matches!(c, '\u{200B}' | '\u{200E}' | '\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{FEFF}')
}
