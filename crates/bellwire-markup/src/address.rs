//! Link targets: the permitted URL schemes, and detection of bare addresses in text.

use std::ops::Range;

use pulldown_cmark::LinkType;

/// The longest name of a host, in characters.
const HOST_CHARS: usize = 253;

/// Returns the target of a link if its scheme is `http`, `https` or `mailto`.
///
/// This is an allowlist: every other scheme is refused. `//` is required, because browsers take
/// `https:path` for a path on the same site.
pub(crate) fn href(kind: LinkType, address: &str) -> Option<String> {
    if address.chars().any(char::is_control) {
        return None;
    }
    let (scheme, rest) = match kind {
        LinkType::Email => ("mailto", address),
        _ => address.split_once(':')?,
    };
    let allowed = match scheme.to_ascii_lowercase().as_str() {
        "http" | "https" => rest.strip_prefix("//").is_some_and(begins_a_host),
        "mailto" => rest.contains('@'),
        _ => false,
    };
    allowed.then(|| match kind {
        LinkType::Email => format!("mailto:{address}"),
        _ => address.to_owned(),
    })
}

/// Returns the target of a bare address that [`in_text`] found.
pub(crate) fn href_of_bare(address: &str) -> String {
    match begins(address, "www.") {
        true => format!("http://{address}"),
        false => address.to_owned(),
    }
}

/// Finds the bare addresses in a text: `http://…`, `https://…`, `mailto:…` and `www.…`, without the
/// punctuation and the brackets around them.
///
/// Each character is read a bounded number of times, whatever the text.
pub(crate) fn in_text(text: &str) -> impl Iterator<Item = Range<usize>> {
    let mut from = 0;
    std::iter::from_fn(move || {
        while let Some(at) = text[from..].find(['h', 'H', 'w', 'W', 'm', 'M']).map(|at| from + at) {
            from = at + 1;
            if !can_begin_after(&text[..at]) {
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

/// Returns the length of the address at the start of the text. Its required characters are checked
/// within a bounded distance, before the whole address is read.
fn length(text: &str) -> Option<usize> {
    let scheme = ["https://", "http://", "mailto:", "www."]
        .into_iter()
        .find(|scheme| begins(text, scheme))?;
    let rest = &text[scheme.len()..];
    let has = |rest: &str, wanted| {
        rest.chars().take(HOST_CHARS).take_while(|c| !ends_it(*c)).any(|c| c == wanted)
    };
    let is_complete = |rest: &str| match scheme {
        "mailto:" => begins_a_host(rest) && has(rest, '@'),
        "www." => begins_a_host(rest) && has(rest, '.'),
        _ => begins_a_host(rest),
    };
    if !is_complete(rest) {
        return None;
    }
    let rest = &rest[..end(rest)];
    is_complete(rest).then(|| scheme.len() + rest.len())
}

fn begins(text: &str, with: &str) -> bool {
    text.as_bytes().get(..with.len()).is_some_and(|head| head.eq_ignore_ascii_case(with.as_bytes()))
}

fn begins_a_host(rest: &str) -> bool {
    rest.starts_with(|c: char| c.is_alphanumeric() || matches!(c, '[' | '_' | '%'))
}

/// Whether an address can begin after this text. In scripts without spaces an address may follow a
/// word directly, so only characters of addresses prevent it.
fn can_begin_after(before: &str) -> bool {
    let within =
        |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '/' | '@' | ':' | '+');
    !before.ends_with(within)
}

/// Returns the end of an address: before a character that cannot be part of one, and before an
/// unmatched closing bracket. Trailing punctuation does not belong to it.
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
    /// Counts a bracket. Returns `false` for an unmatched closing bracket.
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

/// Whether a character ends an address: spaces, quotes, CJK punctuation, and characters that change
/// the direction of others or hide them.
fn ends_it(c: char) -> bool {
    c.is_whitespace()
        || c.is_control()
        || matches!(c, '<' | '>' | '"' | '`' | '|' | '\\' | '^' | '“' | '”' | '„' | '«' | '»' | '…')
        || matches!(c, '\u{3000}'..='\u{303F}' | '\u{FF01}'..='\u{FF0F}' | '\u{FF1A}'..='\u{FF20}' | '\u{FF3B}'..='\u{FF40}' | '\u{FF5B}'..='\u{FF65}')
        || matches!(c, '\u{200B}' | '\u{200E}' | '\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{FEFF}')
}
