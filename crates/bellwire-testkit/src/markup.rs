//! A checker for the HTML of user text (see `bellwire_site::markup`), and random texts to test it
//! with.

use std::fmt::Write;

use scraper::node::Element;
use scraper::{ElementRef, Html, Node};

const INLINE: &[&str] = &["strong", "em", "s", "a", "code", "span"];
const BLOCKS: &[&str] = &["p", "blockquote", "ul", "ol", "pre", "h2", "h3", "h4"];
const EMPTY: &[&str] = &["br", "hr"];
const REL: (&str, &str) = ("rel", "noopener noreferrer nofollow ugc");
const TARGET: (&str, &str) = ("target", "_blank");

/// Checks that the HTML has only the tags and attributes of user text, and is well-formed: the tree
/// that a browser parses, serialized with `&`, `<`, `>` and both quotes escaped, is the same HTML.
///
/// # Errors
/// A description of the first problem.
pub fn check(html: &str) -> Result<(), String> {
    if let Some(c) = html.chars().find(|c| c.is_control() && !matches!(c, '\n' | '\t')) {
        return Err(format!("the character {c:?}"));
    }
    let parsed = Html::parse_fragment(html);
    if let Some(error) = parsed.errors.first() {
        return Err(error.to_string());
    }
    let mut written = String::new();
    write_inside(parsed.root_element(), "", &mut written)?;
    (written == html).then_some(()).ok_or_else(|| format!("a browser parses it as {written}"))
}

fn write_inside(element: ElementRef<'_>, parent: &str, to: &mut String) -> Result<(), String> {
    for child in element.children() {
        match (child.value(), ElementRef::wrap(child)) {
            (Node::Text(text), _) => write_escaped(text, to),
            (Node::Element(tag), Some(child)) => write_element(tag, child, parent, to)?,
            (other, _) => return Err(format!("{other:?}")),
        }
    }
    Ok(())
}

fn write_element(
    tag: &Element,
    element: ElementRef<'_>,
    parent: &str,
    to: &mut String,
) -> Result<(), String> {
    let (name, attributes) = (tag.name(), tag.attrs().collect::<Vec<_>>());
    fits(parent, name)?;
    allowed(name, &attributes).then_some(()).ok_or_else(|| format!("<{name} {attributes:?}>"))?;
    let _ = write!(to, "<{name}");
    for (name, value) in attributes {
        let _ = write!(to, " {name}=\"");
        write_escaped(value, to);
        to.push('"');
    }
    to.push('>');
    if EMPTY.contains(&name) {
        return Ok(());
    }
    write_inside(element, name, to)?;
    let _ = write!(to, "</{name}>");
    Ok(())
}

fn write_escaped(text: &str, to: &mut String) {
    for c in text.chars() {
        match c {
            '&' => to.push_str("&amp;"),
            '<' => to.push_str("&lt;"),
            '>' => to.push_str("&gt;"),
            '"' => to.push_str("&quot;"),
            '\'' => to.push_str("&#39;"),
            c => to.push(c),
        }
    }
}

/// Checks the nesting of elements, more strictly than HTML.
fn fits(parent: &str, name: &str) -> Result<(), String> {
    let known =
        EMPTY.contains(&name) || name == "li" || INLINE.contains(&name) || BLOCKS.contains(&name);
    let fits = match parent {
        "ul" | "ol" => name == "li",
        "pre" => name == "code",
        "code" => false,
        "" | "blockquote" | "li" => name != "li",
        _ => name == "br" || INLINE.contains(&name),
    };
    (known && fits).then_some(()).ok_or_else(|| format!("<{name}> in <{parent}>"))
}

fn allowed(name: &str, attributes: &[(&str, &str)]) -> bool {
    let number = |value: &str| !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit());
    let language =
        |value: &str| value.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-#._".contains(&b));
    match (name, attributes) {
        ("a", [("href", to), REL, TARGET]) => {
            let to = to.to_ascii_lowercase();
            to.starts_with("http://") || to.starts_with("https://")
        }
        ("a", [("href", to), REL]) => to.to_ascii_lowercase().starts_with("mailto:"),
        ("ol", [("start", first)]) => number(first),
        ("code", [("data-language", name)]) => !name.is_empty() && language(name),
        ("span", [("class", "mention"), ("data-user", id)]) => number(id),
        ("pre", [("tabindex", "0")]) => true,
        ("span" | "pre", _) => false,
        (_, attributes) => attributes.is_empty(),
    }
}

/// The fragments of random texts: syntax of Markdown, syntax of HTML, and plain text.
pub const BITS: &[&str] = &[
    "*",
    "**",
    "_",
    "__",
    "~",
    "~~",
    "`",
    "``",
    "```",
    "```rs",
    "[",
    "]",
    "](",
    "(",
    ")",
    "![",
    "<",
    ">",
    "</",
    "/>",
    "<!--",
    "-->",
    "<b>",
    "<div>",
    "</p>",
    "<script>",
    "&",
    "&lt;",
    "&#x3c;",
    "&quot;",
    "\"",
    "'",
    "=",
    "\\",
    "\n",
    "\n",
    "\n\n",
    " ",
    " ",
    "    ",
    "\t",
    "- ",
    "1. ",
    "0) ",
    "> ",
    "# ",
    "---",
    "===",
    "|",
    ":",
    "]: ",
    "[a]: ",
    "[a]",
    "@",
    "@Ada",
    "Ada",
    "@\"><script>",
    "x",
    "é",
    "王",
    "🦊",
    "\u{200d}",
    "\u{301}",
    "\u{202e}",
    "\u{0}",
    "http://x",
    "https://x.org/",
    "www.x.org",
    "mailto:a@b",
    "javascript:",
    "data:",
    "//",
    "<http://y>",
    "<a@b.c>",
    "[l](http://z)",
    "onclick=",
    "hx-get=",
    "{#id}",
    "[^1]",
    "$",
    "^",
    "%",
    "!",
];

/// Returns a random text of [`BITS`]. The generator is splitmix64, so a failing seed fails again.
pub fn random_text(seed: u64) -> String {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB) >> 33
    };
    let length = 1 + next() % 24;
    (0..length).map(|_| BITS[next() as usize % BITS.len()]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checker_rejects_invalid_html() {
        for bad in [
            "<p>",
            "</p>",
            "<p></b>",
            "<script></script>",
            "<p onclick=\"x\"></p>",
            "<p id=\"x\"></p>",
            "a > b",
            "a & b",
            "&bad;",
            "<a href=\"javascript:x\" rel=\"noopener noreferrer nofollow ugc\" target=\"_blank\">x</a>",
            "<a href=\"http://x\">x</a>",
            "<p><p></p></p>",
            "<ul><p></p></ul>",
            "<p",
            "<p><ul></ul></p>",
            "<p><hr></p>",
            "<h2><p></p></h2>",
            "<h1></h1>",
            "<img>",
            "\u{0}",
            "<span class=\"x\" data-user=\"7\"></span>",
            "<code data-language=\"a&quot;b\"></code>",
            "<ol start=\"-1\"></ol>",
        ] {
            assert!(check(bad).is_err(), "{bad}");
        }
        assert_eq!(check("<ul><li>a<br><strong>&lt;</strong></li></ul>"), Ok(()));
    }
}
