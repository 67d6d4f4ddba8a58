//! Renders nodes as HTML. This module writes every tag and attribute that a text can have, and
//! escapes all text.

use std::collections::HashMap;
use std::ops::Range;

use bellwire::Html;

use crate::ast::{Element, Node};

/// Parts of a text that are replaced by HTML, such as mentions of people: for the index of a node,
/// the byte ranges in its text (in order, at character boundaries) and their replacements.
pub type Marks = HashMap<usize, Vec<(Range<usize>, Html)>>;

/// Renders nodes and marks as HTML.
pub(crate) fn render(nodes: &[Node], marks: &Marks) -> String {
    let mut html = String::new();
    let mut open = Vec::new();
    for (index, node) in nodes.iter().enumerate() {
        match node {
            Node::Open(element) => {
                begin(&mut html, element);
                open.push(element);
            }
            Node::Close => html.push_str(open.pop().map_or("", end)),
            Node::Text(text) => {
                write_text(&mut html, text, marks.get(&index).map_or(&[][..], Vec::as_slice))
            }
            Node::Code(code) if matches!(open.last(), Some(Element::Fence(_))) => {
                escape(&mut html, code)
            }
            Node::Code(code) => {
                html.push_str("<code>");
                escape(&mut html, code);
                html.push_str("</code>");
            }
            Node::Break => html.push_str("<br>"),
            Node::Rule => html.push_str("<hr>"),
        }
    }
    html
}

fn begin(html: &mut String, element: &Element) {
    match element {
        Element::Paragraph => html.push_str("<p>"),
        Element::Heading(2) => html.push_str("<h2>"),
        Element::Heading(3) => html.push_str("<h3>"),
        Element::Heading(_) => html.push_str("<h4>"),
        Element::Quote => html.push_str("<blockquote>"),
        Element::Bullets => html.push_str("<ul>"),
        Element::Numbers(1) => html.push_str("<ol>"),
        Element::Numbers(first) => html.push_str(&format!("<ol start=\"{first}\">")),
        Element::Item => html.push_str("<li>"),
        Element::Fence(None) => html.push_str("<pre tabindex=\"0\"><code>"),
        Element::Fence(Some(language)) => {
            html.push_str("<pre tabindex=\"0\"><code data-language=\"");
            escape(html, language);
            html.push_str("\">");
        }
        Element::Strong => html.push_str("<strong>"),
        Element::Emphasis => html.push_str("<em>"),
        Element::Strike => html.push_str("<s>"),
        Element::Link(href) => begin_link(html, href),
    }
}

/// Opens a link tag. `target="_blank"` keeps the live page open, with its socket, its scroll
/// position and half-typed text, and keeps htmx from handling a link to the same site. A `mailto:`
/// link would leave an empty window, so it has no target.
fn begin_link(html: &mut String, href: &str) {
    html.push_str("<a href=\"");
    escape(html, href);
    html.push_str("\" rel=\"noopener noreferrer nofollow ugc\"");
    if href.as_bytes().get(..4).is_some_and(|head| head.eq_ignore_ascii_case(b"http")) {
        html.push_str(" target=\"_blank\"");
    }
    html.push('>');
}

fn end(element: &Element) -> &'static str {
    match element {
        Element::Paragraph => "</p>",
        Element::Heading(2) => "</h2>",
        Element::Heading(3) => "</h3>",
        Element::Heading(_) => "</h4>",
        Element::Quote => "</blockquote>",
        Element::Bullets => "</ul>",
        Element::Numbers(_) => "</ol>",
        Element::Item => "</li>",
        Element::Fence(_) => "</code></pre>",
        Element::Strong => "</strong>",
        Element::Emphasis => "</em>",
        Element::Strike => "</s>",
        Element::Link(_) => "</a>",
    }
}

fn write_text(html: &mut String, text: &str, marks: &[(Range<usize>, Html)]) {
    let mut done = 0;
    for (range, mark) in marks {
        // A mark with an invalid range is skipped; the text stays complete.
        let Some(before) =
            text.get(done..range.start).filter(|_| text.get(range.clone()).is_some())
        else {
            continue;
        };
        escape(html, before);
        html.push_str(mark.as_str());
        done = range.end;
    }
    escape(html, &text[done..]);
}

/// Escapes text and quoted attributes. Control characters are dropped: they are invisible, and
/// invalid in HTML.
fn escape(html: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            '\n' | '\t' => html.push(c),
            c if c.is_control() => {}
            c => html.push(c),
        }
    }
}
