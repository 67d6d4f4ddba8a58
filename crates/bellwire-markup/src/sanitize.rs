//! Takes from a text what Markdown has and our pages have not, by a backslash or an empty line
//! where it begins.
//!
//! Doing it in the text keeps everything visible and leaves one parser to decide what everything
//! else means.

use std::borrow::Cow;
use std::ops::Range;

use pulldown_cmark::{Event, Parser, Tag};

use crate::address;
use crate::flavor::options;

/// How often a text is looked through. What is taken away can uncover more of its kind; nothing
/// unsafe hangs on finding the last of it, for `nodes` shows as text what is still there.
const ROUNDS: usize = 3;

/// Something to be put into the text.
type Edit = (usize, &'static str);

const ESCAPE: &str = "\\";
const EMPTY_LINE: &str = "\n";

/// The text, with only such Markdown in it as our pages have.
pub(crate) fn sanitize(text: &str) -> Cow<'_, str> {
    let mut text = Cow::Borrowed(text);
    for _ in 0..ROUNDS {
        let found = look(&text);
        if found.unwanted.is_empty() {
            return with(text, found.in_addresses);
        }
        text = with(text, found.unwanted);
    }
    text
}

#[derive(Default)]
struct Found {
    /// Where begins what our pages have not.
    unwanted: Vec<Edit>,
    /// The characters in bare addresses that Markdown would take for its own:
    /// `https://host/__init__.py`.
    in_addresses: Vec<Edit>,
}

fn look(text: &str) -> Found {
    let mut found = Found::default();
    let mut addresses = address::in_text(text).peekable();
    let (mut read, mut apart, mut quotes) = (0, 0, 0usize);
    for (event, range) in Parser::new_ext(text, options()).into_offset_iter() {
        match &event {
            Event::Start(Tag::BlockQuote(_)) => quotes += 1,
            Event::End(pulldown_cmark::TagEnd::BlockQuote(_)) => quotes -= 1,
            Event::SoftBreak | Event::HardBreak if quotes > 0 => {
                found.unwanted.extend(end_of_quote(text, range.start));
            }
            Event::Start(Tag::HtmlBlock) => found.unwanted.extend(first('<', text, &range)),
            Event::Start(
                Tag::Link { link_type, dest_url, .. } | Tag::Image { link_type, dest_url, .. },
            ) => {
                if address::href(*link_type, dest_url).is_none() {
                    found.unwanted.extend(opening(text, &range));
                }
                apart = apart.max(range.end);
            }
            Event::Start(Tag::CodeBlock(_)) | Event::Code(_) => apart = apart.max(range.end),
            Event::Text(_) if range.start >= apart => {
                while addresses.next_if(|address| address.start < range.start).is_some() {}
                while let Some(address) = addresses.next_if(|address| address.start < range.end) {
                    found.in_addresses.extend(markup_in(text, address));
                }
            }
            _ => {}
        }
        if !holds_blocks(&event) {
            // Between the blocks there is nothing with a bracket but the definitions of links,
            // which would vanish.
            found.unwanted.extend(brackets(text, read..range.start));
            read = read.max(range.end);
        }
    }
    found.unwanted.extend(brackets(text, read..text.len()));
    found.unwanted.sort_unstable();
    found.unwanted.dedup();
    found
}

/// Elements that reach over what stands between their blocks.
fn holds_blocks(event: &Event<'_>) -> bool {
    use pulldown_cmark::TagEnd;
    matches!(
        event,
        Event::Start(Tag::BlockQuote(_) | Tag::List(_) | Tag::Item)
            | Event::End(TagEnd::BlockQuote(_) | TagEnd::List(_) | TagEnd::Item)
    )
}

/// Among us a quotation ends with its last `>`: the line after it is the answer.
fn end_of_quote(text: &str, at: usize) -> Option<Edit> {
    let end = at + text[at..].find('\n')?;
    let line = text[..end].rsplit('\n').next()?;
    let marked = |line: &str| line.trim_start().starts_with('>');
    (marked(line) && !marked(&text[end + 1..])).then_some((end + 1, EMPTY_LINE))
}

/// Where a link begins that leads nowhere we let anybody go.
fn opening(text: &str, range: &Range<usize>) -> Option<Edit> {
    let at = text[range.clone()].find(['[', '<'])?;
    Some((range.start + at, ESCAPE))
}

fn first(c: char, text: &str, range: &Range<usize>) -> Option<Edit> {
    text[range.clone()].find(c).map(|at| (range.start + at, ESCAPE))
}

fn brackets(text: &str, range: Range<usize>) -> impl Iterator<Item = Edit> {
    let start = range.start;
    let between = if range.start < range.end { &text[range] } else { "" };
    between.match_indices('[').map(move |(at, _)| (start + at, ESCAPE))
}

fn markup_in(text: &str, address: Range<usize>) -> impl Iterator<Item = Edit> {
    let start = address.start;
    text[address]
        .match_indices(['*', '_', '~', '[', ']', '&', '!'])
        .map(move |(at, _)| (start + at, ESCAPE))
}

/// Puts in the edits, which come in the order of the text.
fn with(text: Cow<'_, str>, edits: Vec<Edit>) -> Cow<'_, str> {
    if edits.is_empty() {
        return text;
    }
    let mut edited = String::with_capacity(text.len() + edits.len());
    let mut done = 0;
    for (at, what) in edits {
        edited.push_str(&text[done..at]);
        edited.push_str(what);
        done = at;
    }
    edited.push_str(&text[done..]);
    Cow::Owned(edited)
}
