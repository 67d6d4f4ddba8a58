//! Neutralizes unsupported Markdown by a backslash or an empty line before it.
//!
//! Editing the source keeps everything visible, and leaves all other decisions to one parser.

use std::borrow::Cow;
use std::ops::Range;

use pulldown_cmark::{Event, Parser, Tag};

use crate::address;
use crate::flavor::options;

/// The maximum number of passes. An escape can expose further markup; safety does not depend on
/// finding all of it, because [`crate::ast`] shows the rest as text.
const ROUNDS: usize = 3;

/// An insertion: a byte position and the text to insert.
type Edit = (usize, &'static str);

const ESCAPE: &str = "\\";
const EMPTY_LINE: &str = "\n";

/// Returns the text with only supported Markdown.
pub(crate) fn sanitize(text: &str) -> Cow<'_, str> {
    let mut text = Cow::Borrowed(text);
    for _ in 0..ROUNDS {
        let found = scan(&text);
        if found.unsupported.is_empty() {
            return apply(text, found.in_addresses);
        }
        text = apply(text, found.unsupported);
    }
    text
}

#[derive(Default)]
struct Found {
    /// The edits before unsupported markup.
    unsupported: Vec<Edit>,
    /// The edits before characters in bare addresses that Markdown would treat as markup:
    /// `https://host/__init__.py`.
    in_addresses: Vec<Edit>,
}

fn scan(text: &str) -> Found {
    let mut found = Found::default();
    let mut addresses = address::in_text(text).peekable();
    let (mut read, mut skip_until, mut quotes) = (0, 0, 0usize);
    for (event, range) in Parser::new_ext(text, options()).into_offset_iter() {
        match &event {
            Event::Start(Tag::BlockQuote(_)) => quotes += 1,
            Event::End(pulldown_cmark::TagEnd::BlockQuote(_)) => quotes -= 1,
            Event::SoftBreak | Event::HardBreak if quotes > 0 => {
                found.unsupported.extend(end_of_quote(text, range.start));
            }
            Event::Start(Tag::HtmlBlock) => found.unsupported.extend(first('<', text, &range)),
            Event::Start(
                Tag::Link { link_type, dest_url, .. } | Tag::Image { link_type, dest_url, .. },
            ) => {
                if address::href(*link_type, dest_url).is_none() {
                    found.unsupported.extend(opening(text, &range));
                }
                skip_until = skip_until.max(range.end);
            }
            Event::Start(Tag::CodeBlock(_)) | Event::Code(_) => {
                skip_until = skip_until.max(range.end)
            }
            Event::Text(_) if range.start >= skip_until => {
                while addresses.next_if(|address| address.start < range.start).is_some() {}
                while let Some(address) = addresses.next_if(|address| address.start < range.end) {
                    found.in_addresses.extend(markup_in(text, address));
                }
            }
            _ => {}
        }
        if !holds_blocks(&event) {
            // A bracket between blocks belongs to a link definition, which would vanish.
            found.unsupported.extend(brackets(text, read..range.start));
            read = read.max(range.end);
        }
    }
    found.unsupported.extend(brackets(text, read..text.len()));
    found.unsupported.sort_unstable();
    found.unsupported.dedup();
    found
}

/// Whether the range of an element includes the gaps between its blocks.
fn holds_blocks(event: &Event<'_>) -> bool {
    use pulldown_cmark::TagEnd;
    matches!(
        event,
        Event::Start(Tag::BlockQuote(_) | Tag::List(_) | Tag::Item)
            | Event::End(TagEnd::BlockQuote(_) | TagEnd::List(_) | TagEnd::Item)
    )
}

/// Ends a quotation after its last `>`, unlike Markdown: the next line is the reply.
fn end_of_quote(text: &str, at: usize) -> Option<Edit> {
    let end = at + text[at..].find('\n')?;
    let line = text[..end].rsplit('\n').next()?;
    let marked = |line: &str| line.trim_start().starts_with('>');
    (marked(line) && !marked(&text[end + 1..])).then_some((end + 1, EMPTY_LINE))
}

/// Escapes the start of a link whose target is not permitted.
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

/// Applies the edits, which are in text order.
fn apply(text: Cow<'_, str>, edits: Vec<Edit>) -> Cow<'_, str> {
    if edits.is_empty() {
        return text;
    }
    let mut edited = String::with_capacity(text.len() + edits.len());
    let mut done = 0;
    for (at, insertion) in edits {
        edited.push_str(&text[done..at]);
        edited.push_str(insertion);
        done = at;
    }
    edited.push_str(&text[done..]);
    Cow::Owned(edited)
}
