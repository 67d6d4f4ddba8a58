//! Patches and errors as bytes.

use std::cell::Cell;
use std::fmt::Write as _;
use std::str::FromStr;

use serde::Serialize;

use crate::group_name::Position;
use crate::html::escape;
use crate::transport::{EncodedFrame, EncodedFrames};
use crate::{Html, Invalid, Patch, Seq, Swap};

/// Room that was larger than this once is given back, in bytes.
const KEPT: usize = 16 * 1024;

thread_local! {
    /// The room that this thread writes in before it is known how long a frame becomes.
    static SPARE: Cell<String> = const { Cell::new(String::new()) };
}

/// What a browser understands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Dialect {
    /// One object a frame: `{"selector", "html"}`, with `"append": true` or `"how"`, and `"url"`,
    /// `"title"`, `"focus"`, `"feed"`, `"seq"` where they apply. Errors are
    /// `{"error", "field", "client_id"}`.
    #[default]
    Json,
    /// HTML whose every top-level element carries `hx-swap-oob`, so that unmodified htmx 2 and 4
    /// swap it. Feed and number are `data-feed` and `data-seq`; address, title, focus and morph are
    /// `data-bw-…`, which bellwire.js alone obeys; an error goes into `#error--<field>` or
    /// `#error`.
    Htmx,
}

/// A `?dialect=` that is neither `json` nor `htmx`.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is no dialect; this socket speaks `json` and `htmx`")]
pub struct UnknownDialect(String);

impl FromStr for Dialect {
    type Err = UnknownDialect;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        match name {
            "json" => Ok(Self::Json),
            "htmx" => Ok(Self::Htmx),
            other => Err(UnknownDialect(other.chars().take(40).collect())),
        }
    }
}

impl Dialect {
    /// The frames that carry these patches; the last one carries their place, so that nobody
    /// believes to be further than they are.
    pub(crate) fn patches(self, patches: &[Patch], position: Option<&Position>) -> EncodedFrames {
        let last = patches.len().saturating_sub(1);
        let position_of = |index| if index == last { position } else { None };
        match self {
            Self::Json => patches
                .iter()
                .enumerate()
                .map(|(i, patch)| json_patch(patch, position_of(i)))
                .collect(),
            Self::Htmx if patches.is_empty() => EncodedFrames::new(),
            Self::Htmx => EncodedFrames::from([text(|html| {
                for (i, patch) in patches.iter().enumerate() {
                    htmx_patch(html, patch, position_of(i));
                }
            })]),
        }
    }

    /// The frame that tells a browser what was wrong with its ask.
    pub(crate) fn error(self, invalid: &Invalid, client_id: Option<&str>) -> EncodedFrame {
        let Invalid { field, message } = invalid;
        let field = field.as_deref();
        match self {
            Self::Json => json(&JsonError { error: message, field, client_id }),
            Self::Htmx => text(|html| htmx_error(html, field, message, client_id)),
        }
    }

    /// The frame that takes an error about this field back, where one stays until then.
    pub(crate) fn clear_error(self, field: Option<&str>) -> Option<EncodedFrame> {
        match self {
            Self::Json => None,
            Self::Htmx => {
                let empty = Patch::inner(error_selector(field), Html::text(""));
                Some(text(|html| htmx_patch(html, &empty, None)))
            }
        }
    }
}

#[derive(Serialize)]
struct JsonPatch<'a> {
    selector: &'a str,
    html: &'a str,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    append: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    how: Option<Swap>,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    focus: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    feed: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seq: Option<Seq>,
}

#[derive(Serialize)]
struct JsonError<'a> {
    error: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_id: Option<&'a str>,
}

fn json_patch(patch: &Patch, position: Option<&Position>) -> EncodedFrame {
    if let Some(text) = &patch.json_text {
        return EncodedFrame::text(text.as_bytes());
    }
    json(&JsonPatch {
        selector: &patch.selector,
        html: patch.html.as_str(),
        append: patch.swap == Swap::Append,
        how: Some(patch.swap).filter(|how| !matches!(how, Swap::Inner | Swap::Append)),
        url: patch.url.as_deref(),
        title: patch.title.as_deref(),
        focus: patch.focus.as_deref(),
        feed: position.map(|position| position.feed.as_str()),
        seq: position.map(|position| position.seq),
    })
}

/// A frame of what `write` adds.
fn text(write: impl FnOnce(&mut String)) -> EncodedFrame {
    let mut room = SPARE.take();
    write(&mut room);
    let frame = EncodedFrame::text(room.as_bytes());
    if room.capacity() <= KEPT {
        room.clear();
        SPARE.set(room);
    }
    frame
}

/// Text, numbers and flags always have a JSON form.
fn json(value: &impl Serialize) -> EncodedFrame {
    EncodedFrame::text(&serde_json::to_vec(value).unwrap_or_default())
}

/// Writes one top-level element. What replaces an element carries the mark itself; everything else
/// comes in a wrapper that htmx takes off.
fn htmx_patch(out: &mut String, patch: &Patch, position: Option<&Position>) {
    let style = match patch.swap {
        Swap::Inner => "innerHTML",
        Swap::Replace | Swap::Morph => "outerHTML",
        Swap::Append => "beforeend",
        Swap::Prepend => "afterbegin",
        Swap::Before => "beforebegin",
        Swap::After => "afterend",
        Swap::Remove => "delete",
    };
    let marks = |out: &mut String| {
        swap_mark(out, style, &patch.selector);
        if patch.swap == Swap::Morph {
            out.push_str(" data-bw-how=\"morph\"");
        }
        if let Some(Position { feed, seq }) = position {
            // The name of a feed has nothing to escape, and text takes whatever is written to it.
            [" data-feed=\"", feed.as_str(), "\" data-seq=\""]
                .iter()
                .for_each(|text| out.push_str(text));
            let _ = write!(out, "{seq}\"");
        }
        for (name, value) in [
            ("data-bw-url", &patch.url),
            ("data-bw-title", &patch.title),
            ("data-bw-focus", &patch.focus),
        ] {
            if let Some(value) = value {
                mark(out, name, value);
            }
        }
    };
    let html = patch.html.as_str().trim_start();
    match (matches!(patch.swap, Swap::Replace | Swap::Morph), tag(html)) {
        (true, Some(tag)) => {
            let (open, rest) = html.split_at(1 + tag.len());
            out.push_str(open);
            marks(out);
            out.push_str(rest);
        }
        (true, None) => wrap(out, "span", marks, html),
        (false, inside) => wrap(out, wrapper(inside), marks, html),
    }
}

fn htmx_error(out: &mut String, field: Option<&str>, message: &str, client_id: Option<&str>) {
    let marks = |out: &mut String| {
        swap_mark(out, "innerHTML", &error_selector(field));
        mark(out, "data-error", field.unwrap_or_default());
        if let Some(id) = client_id {
            mark(out, "data-client-id", id);
        }
    };
    wrap(out, "div", marks, Html::text(message).as_str());
}

/// Where an error about this field is shown. Its name may come from the browser (an unknown field
/// of its own data): only a plain name becomes a selector.
fn error_selector(field: Option<&str>) -> String {
    let json_text =
        |field: &&str| field.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'));
    field.filter(json_text).map_or_else(|| "#error".to_owned(), |field| format!("#error--{field}"))
}

fn swap_mark(out: &mut String, style: &str, selector: &str) {
    [" hx-swap-oob=\"", style, ":"].iter().for_each(|text| out.push_str(text));
    escape(out, selector);
    out.push('"');
}

fn mark(out: &mut String, name: &str, value: &str) {
    [" ", name, "=\""].iter().for_each(|text| out.push_str(text));
    escape(out, value);
    out.push('"');
}

fn wrap(out: &mut String, element: &str, marks: impl FnOnce(&mut String), html: &str) {
    out.push('<');
    out.push_str(element);
    marks(out);
    [">", html, "</", element, ">"].iter().for_each(|text| out.push_str(text));
}

/// The name of the element that the HTML begins with.
fn tag(html: &str) -> Option<&str> {
    let name = html.strip_prefix('<')?;
    let end = name.find(|c: char| !(c.is_ascii_alphanumeric() || c == '-')).unwrap_or(name.len());
    (end > 0 && name.starts_with(|c: char| c.is_ascii_alphabetic())).then(|| &name[..end])
}

/// An element that may hold what begins with `tag`: the HTML parser drops table parts in any other.
fn wrapper(tag: Option<&str>) -> &'static str {
    match tag {
        Some("tr") => "tbody",
        Some("td" | "th") => "tr",
        Some("tbody" | "thead" | "tfoot" | "caption" | "colgroup") => "table",
        _ => "div",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::GroupName;
    use serde_json::json;

    fn words(frame: &EncodedFrame) -> String {
        String::from_utf8(frame.payload().to_vec()).unwrap()
    }

    fn one(dialect: Dialect, patch: Patch, position: Option<Position>) -> String {
        let frames = dialect.patches(&[patch], position.as_ref());
        assert_eq!(frames.len(), 1);
        words(&frames[0])
    }

    fn item() -> Html {
        Html::trusted("<li id=\"message--1\">x</li>")
    }

    fn position() -> Option<Position> {
        Some(Position { feed: GroupName::new("chat.room.1").unwrap(), seq: 7 })
    }

    #[test]
    fn other_words_for_the_json_dialect_stand_in_place_of_the_object_and_htmx_gets_the_patch() {
        let tick = || Patch::inner("#clock", Html::text("12:00")).json_text("12:00 <o'clock>");
        assert_eq!(one(Dialect::Json, tick(), None), "12:00 <o'clock>");
        assert_eq!(
            one(Dialect::Htmx, tick(), None),
            "<div hx-swap-oob=\"innerHTML:#clock\">12:00</div>"
        );
    }

    #[test]
    fn each_way_has_its_htmx_form() {
        for (patch, html) in [
            (
                Patch::inner("#a", item()),
                r##"<div hx-swap-oob="innerHTML:#a"><li id="message--1">x</li></div>"##,
            ),
            (
                Patch::replace("#a", item()),
                r##"<li hx-swap-oob="outerHTML:#a" id="message--1">x</li>"##,
            ),
            (
                Patch::append("#a", item()),
                r##"<div hx-swap-oob="beforeend:#a"><li id="message--1">x</li></div>"##,
            ),
            (
                Patch::prepend("#a", item()),
                r##"<div hx-swap-oob="afterbegin:#a"><li id="message--1">x</li></div>"##,
            ),
            (
                Patch::before("#a", item()),
                r##"<div hx-swap-oob="beforebegin:#a"><li id="message--1">x</li></div>"##,
            ),
            (
                Patch::after("#a", item()),
                r##"<div hx-swap-oob="afterend:#a"><li id="message--1">x</li></div>"##,
            ),
            (Patch::remove("#a"), r##"<div hx-swap-oob="delete:#a"></div>"##),
            (
                Patch::morph("#a", item()),
                r##"<li hx-swap-oob="outerHTML:#a" data-bw-how="morph" id="message--1">x</li>"##,
            ),
            (
                Patch::replace("#a", Html::text("x")),
                r##"<span hx-swap-oob="outerHTML:#a">x</span>"##,
            ),
            (
                Patch::append("#a", Html::trusted("<tr><td>1</td></tr>")),
                r##"<tbody hx-swap-oob="beforeend:#a"><tr><td>1</td></tr></tbody>"##,
            ),
        ] {
            assert_eq!(one(Dialect::Htmx, patch, None), html);
        }
    }

    #[test]
    fn the_place_address_title_and_focus_travel_as_attributes_and_are_escaped() {
        let patch =
            Patch::inner("[name=\"q\"]", item()).url("/?a=1&b=2").title("\"><script>").focus("#q");
        assert_eq!(
            one(Dialect::Htmx, patch, position()),
            concat!(
                "<div hx-swap-oob=\"innerHTML:[name=&quot;q&quot;]\" data-feed=\"chat.room.1\" data-seq=\"7\" ",
                "data-bw-url=\"/?a=1&amp;b=2\" data-bw-title=\"&quot;&gt;&lt;script&gt;\" data-bw-focus=\"#q\">",
                "<li id=\"message--1\">x</li></div>"
            )
        );
    }

    #[test]
    fn the_json_form_is_the_books() {
        let frame = one(Dialect::Json, Patch::append("#messages-list", item()), position());
        let value: serde_json::Value = serde_json::from_str(&frame).unwrap();
        let html = "<li id=\"message--1\">x</li>";
        assert_eq!(
            value,
            json!({"selector": "#messages-list", "html": html, "append": true, "feed": "chat.room.1", "seq": 7})
        );
        let frame = one(Dialect::Json, Patch::remove("#a"), None);
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(&frame).unwrap(),
            json!({"selector": "#a", "html": "", "how": "remove"})
        );
    }

    #[test]
    fn of_several_patches_only_the_last_carries_the_place() {
        let patches = [Patch::append("#a", item()), Patch::append("#a", item())];
        let html = Dialect::Htmx.patches(&patches, position().as_ref());
        assert_eq!(html.len(), 1, "one frame, applied whole");
        assert_eq!(words(&html[0]).matches("data-seq").count(), 1);
        let json = Dialect::Json.patches(&patches, position().as_ref());
        assert!(!words(&json[0]).contains("seq"));
        assert!(words(&json[1]).contains("\"seq\":7"));
    }

    #[test]
    fn an_error_is_escaped_and_a_field_named_by_a_stranger_is_no_selector() {
        let error = |field: &str| {
            let invalid = Invalid { field: Some(field.into()), message: "<b>".into() };
            words(&Dialect::Htmx.error(&invalid, Some("\"x")))
        };
        assert_eq!(
            error("message"),
            "<div hx-swap-oob=\"innerHTML:#error--message\" data-error=\"message\" data-client-id=\"&quot;x\">&lt;b&gt;</div>"
        );
        assert!(error("x, body").contains("innerHTML:#error\""));
    }
}
