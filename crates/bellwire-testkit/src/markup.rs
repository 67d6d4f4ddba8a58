//! A reader of HTML that knows only what a text may become (see `bellwire_site::markup`), and says no to everything else; and texts to try it with.

const INLINE: &[&str] = &["strong", "em", "s", "a", "code", "span"];
const BLOCKS: &[&str] = &["p", "blockquote", "ul", "ol", "pre", "h2", "h3", "h4"];
const EMPTY: &[&str] = &["br", "hr"];
const REL: (&str, &str) = ("rel", "noopener noreferrer nofollow ugc");
const TARGET: (&str, &str) = ("target", "_blank");

/// Whether the HTML is balanced, nested as HTML wants it, and has nothing but the tags and attributes of a text.
///
/// # Errors
/// What is wrong with it.
pub fn check(html: &str) -> Result<(), String> {
    let mut open: Vec<&str> = Vec::new();
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        text(&rest[..at])?;
        let end = rest[at..].find('>').ok_or("a tag never ends")? + at;
        let tag = &rest[at + 1..end];
        rest = &rest[end + 1..];
        if let Some(name) = tag.strip_prefix('/') {
            (open.pop() == Some(name)).then_some(()).ok_or(format!("</{name}> closes something else"))?;
            continue;
        }
        let (name, attributes) = tag.split_once(' ').unwrap_or((tag, ""));
        fits(&open, name)?;
        (allowed(name, &attributes_of(attributes)?)).then_some(()).ok_or(format!("<{tag}>"))?;
        if !EMPTY.contains(&name) {
            open.push(name);
        }
    }
    text(rest)?;
    open.is_empty().then_some(()).ok_or(format!("{open:?} stay open"))
}

/// Text has no character that HTML reads, but in one of the five escapes.
fn text(text: &str) -> Result<(), String> {
    let bare = text.contains(['>', '"', '\'', '<'])
        || text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\t'));
    let escapes = ["amp;", "lt;", "gt;", "quot;", "#39;"];
    let escaped = text.split('&').skip(1).all(|after| escapes.iter().any(|escape| after.starts_with(escape)));
    (!bare && escaped).then_some(()).ok_or(format!("text {text:?}"))
}

fn attributes_of(mut rest: &str) -> Result<Vec<(&str, &str)>, String> {
    let mut all = Vec::new();
    while !rest.is_empty() {
        let (name, after) = rest.split_once("=\"").ok_or(format!("attribute {rest:?}"))?;
        let (value, after) = after.split_once('"').ok_or(format!("attribute {rest:?}"))?;
        text(value)?;
        all.push((name, value));
        rest = after.strip_prefix(' ').unwrap_or(after);
    }
    Ok(all)
}

/// What may stand where, so that no browser mends it into something else.
fn fits(open: &[&str], name: &str) -> Result<(), String> {
    let parent = open.last().copied().unwrap_or("");
    let known = EMPTY.contains(&name) || name == "li" || INLINE.contains(&name) || BLOCKS.contains(&name);
    let fits = match parent {
        "ul" | "ol" => name == "li",
        "pre" => name == "code",
        "code" => false,
        "" | "blockquote" | "li" => name != "li",
        _ => name == "br" || INLINE.contains(&name),
    };
    let again = name == "a" && open.contains(&"a");
    (known && fits && !again).then_some(()).ok_or(format!("<{name}> in {open:?}"))
}

fn allowed(name: &str, attributes: &[(&str, &str)]) -> bool {
    let number = |value: &str| !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit());
    let language = |value: &str| value.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-#._".contains(&b));
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

/// The pieces texts are thrown together from: what Markdown reads, what HTML reads, and what neither does.
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

/// Bits by splitmix64, so that what fails once fails again.
pub fn thrown(seed: u64) -> String {
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
    fn the_checker_sees_what_is_wrong() {
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
