//! Encoding of patches and errors in the dialect of a browser.

use std::cell::Cell;
use std::fmt::Write as _;
use std::str::FromStr;

use serde::Serialize;
use serde_json::value::RawValue;

use crate::html::{Command, escape};
use crate::position::{Position, Seq};
use crate::transport::{EncodedFrame, EncodedFrames};
use crate::{Html, Patch, Refusal, Swap};

/// The swap of an element that only bellwire.js reads: unmodified htmx does nothing with it.
const NO_SWAP: &str = "none:body";

/// The largest capacity of a buffer that is kept for reuse, in bytes.
const KEPT: usize = 16 * 1024;

thread_local! {
    /// This thread's buffer for frames whose length is not known in advance.
    static SPARE: Cell<String> = const { Cell::new(String::new()) };
}

/// The format of the frames that a browser receives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Dialect {
    /// One object per frame: `{"selector", "html"}`, with `"append": true` or `"how"`, and `"url"`,
    /// `"title"`, `"focus"`, `"keep_last"`, `"feed"`, `"seq"`, `"position"` where they apply.
    /// Commands are `{"event", "detail"}`, `{"redirect"}` and `{"reload"}`, answers to actions
    /// `{"answer"}` with the client id, errors `{"error", "field", "client_id"}`.
    #[default]
    Json,
    /// HTML in which every top-level element carries `hx-swap-oob`, so that unmodified htmx 2 and 4
    /// swap it. Feed and position are `data-feed` and `data-seq`; everything that only bellwire.js
    /// applies is `data-bw-…` (see `docs/browser.md`); an error goes into `#error--<field>` or
    /// `#error`.
    Htmx,
}

/// A `?dialect=` that is neither `json` nor `htmx`.
#[derive(Debug, thiserror::Error)]
#[error("unknown dialect `{0}`; expected `json` or `htmx`")]
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
    /// Encodes patches. Only the last frame carries the position, so that a browser which loses a
    /// frame does not report a later position than it has reached.
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

    /// Encodes the error that answers a browser's action.
    pub(crate) fn error(self, refusal: &Refusal, client_id: Option<&str>) -> EncodedFrame {
        let Refusal { field, message, .. } = refusal;
        let field = field.as_deref();
        match self {
            Self::Json => json(&JsonError { error: message, field, client_id }),
            Self::Htmx => text(|html| htmx_error(html, field, message, client_id)),
        }
    }

    /// Encodes the answer to an action that was accepted.
    pub(crate) fn answer(self, client_id: &str) -> EncodedFrame {
        match self {
            Self::Json => json(&JsonAnswer { answer: client_id }),
            Self::Htmx => {
                text(|html| note(html, |html| attribute(html, "data-bw-answer", client_id)))
            }
        }
    }

    /// Encodes the first frame of a connection, which tells a page for whom the connection is.
    /// `None` in a dialect without it.
    pub(crate) fn hello(self, person: Option<&str>) -> Option<EncodedFrame> {
        let attributes = |html: &mut String| {
            attribute(html, "data-bw-hello", "1");
            attribute(html, "data-bw-person", person.unwrap_or_default());
        };
        match self {
            Self::Json => None,
            Self::Htmx => Some(text(|html| note(html, attributes))),
        }
    }

    /// Encodes the removal of an error about this field; `None` in a dialect whose errors do not
    /// stay in the page.
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
struct JsonAnswer<'a> {
    answer: &'a str,
}

#[derive(Serialize)]
struct JsonCommand<'a> {
    #[serde(flatten)]
    command: Fields<'a>,
    #[serde(flatten)]
    position: JsonPosition<'a>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Fields<'a> {
    Event { event: &'a str, detail: &'a RawValue },
    Redirect { redirect: &'a str },
    Reload { reload: bool },
}

#[derive(Serialize)]
struct JsonPosition<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    feed: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seq: Option<Seq>,
    #[serde(skip_serializing_if = "Option::is_none")]
    position: Option<String>,
}

impl<'a> JsonPosition<'a> {
    fn of(position: Option<&'a Position>) -> Self {
        Self {
            feed: position.map(|position| position.feed.as_str()),
            seq: position.map(|position| position.at.seq),
            position: position.map(Position::to_string),
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
    keep_last: Option<u32>,
    #[serde(flatten)]
    position: JsonPosition<'a>,
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
    if let Some(command) = &patch.command {
        return json_command(command, position);
    }
    json(&JsonPatch {
        selector: &patch.selector,
        html: patch.html.as_str(),
        append: patch.swap == Swap::Append,
        how: Some(patch.swap).filter(|how| !matches!(how, Swap::Inner | Swap::Append)),
        url: patch.url.as_deref(),
        title: patch.title.as_deref(),
        focus: patch.focus.as_deref(),
        keep_last: patch.keep_last,
        position: JsonPosition::of(position),
    })
}

fn json_command(command: &Command, position: Option<&Position>) -> EncodedFrame {
    let command = match command {
        Command::Event(name, detail) => match serde_json::from_str(detail) {
            Ok(detail) => Fields::Event { event: name, detail },
            // Only another process of this site writes a detail, and always as JSON.
            Err(_) => Fields::Event { event: name, detail: RawValue::NULL },
        },
        Command::Redirect(url) => Fields::Redirect { redirect: url },
        Command::Reload => Fields::Reload { reload: true },
    };
    json(&JsonCommand { command, position: JsonPosition::of(position) })
}

/// Encodes the text that `write` appends as one frame.
fn text(write: impl FnOnce(&mut String)) -> EncodedFrame {
    let mut buffer = SPARE.take();
    write(&mut buffer);
    let frame = EncodedFrame::text(buffer.as_bytes());
    if buffer.capacity() <= KEPT {
        buffer.clear();
        SPARE.set(buffer);
    }
    frame
}

/// Serialization cannot fail: the values are text, numbers and flags.
fn json(value: &impl Serialize) -> EncodedFrame {
    EncodedFrame::text(&serde_json::to_vec(value).unwrap_or_default())
}

/// Writes one top-level element. HTML that replaces an element carries the swap attributes itself;
/// other HTML is put into a wrapper that htmx removes.
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
    let attributes = |out: &mut String| {
        swap_attribute(out, style, &patch.selector);
        if patch.swap == Swap::Morph {
            out.push_str(" data-bw-how=\"morph\"");
        }
        position_attributes(out, position);
        if let Some(count) = patch.keep_last {
            let _ = write!(out, " data-bw-keep-last=\"{count}\"");
        }
        for (name, value) in [
            ("data-bw-url", &patch.url),
            ("data-bw-title", &patch.title),
            ("data-bw-focus", &patch.focus),
        ] {
            if let Some(value) = value {
                attribute(out, name, value);
            }
        }
    };
    if let Some(command) = &patch.command {
        return htmx_command(out, command, position);
    }
    let html = patch.html.as_str().trim_start();
    match (matches!(patch.swap, Swap::Replace | Swap::Morph), tag(html)) {
        (true, Some(tag)) => {
            let (open, rest) = html.split_at(1 + tag.len());
            out.push_str(open);
            attributes(out);
            out.push_str(rest);
        }
        (true, None) => wrap(out, "span", attributes, html),
        (false, inside) => wrap(out, wrapper(inside), attributes, html),
    }
}

fn htmx_command(out: &mut String, command: &Command, position: Option<&Position>) {
    note(out, |out| {
        position_attributes(out, position);
        match command {
            Command::Event(name, detail) => {
                attribute(out, "data-bw-event", name);
                attribute(out, "data-bw-detail", detail);
            }
            Command::Redirect(url) => attribute(out, "data-bw-redirect", url),
            Command::Reload => out.push_str(" data-bw-reload"),
        }
    });
}

/// Writes an element that only bellwire.js reads.
fn note(out: &mut String, attributes: impl FnOnce(&mut String)) {
    let with_swap = |out: &mut String| {
        [" hx-swap-oob=\"", NO_SWAP, "\""].iter().for_each(|text| out.push_str(text));
        attributes(out);
    };
    wrap(out, "div", with_swap, "");
}

fn position_attributes(out: &mut String, position: Option<&Position>) {
    let Some(Position { feed, at }) = position else { return };
    // The name of a feed needs no escaping, and writing to a `String` cannot fail.
    [" data-feed=\"", feed.as_str(), "\" data-seq=\""].iter().for_each(|text| out.push_str(text));
    let _ = write!(out, "{at}\"");
}

fn htmx_error(out: &mut String, field: Option<&str>, message: &str, client_id: Option<&str>) {
    let attributes = |out: &mut String| {
        swap_attribute(out, "innerHTML", &error_selector(field));
        attribute(out, "data-error", field.unwrap_or_default());
        if let Some(id) = client_id {
            attribute(out, "data-client-id", id);
        }
    };
    wrap(out, "div", attributes, Html::text(message).as_str());
}

/// The selector of the element that shows an error about this field. The field name may come from
/// the browser (an unknown field of its own data), so only a plain name becomes a selector.
fn error_selector(field: Option<&str>) -> String {
    let is_plain =
        |field: &&str| field.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'));
    field.filter(is_plain).map_or_else(|| "#error".to_owned(), |field| format!("#error--{field}"))
}

fn swap_attribute(out: &mut String, style: &str, selector: &str) {
    [" hx-swap-oob=\"", style, ":"].iter().for_each(|text| out.push_str(text));
    escape(out, selector);
    out.push('"');
}

fn attribute(out: &mut String, name: &str, value: &str) {
    [" ", name, "=\""].iter().for_each(|text| out.push_str(text));
    escape(out, value);
    out.push('"');
}

fn wrap(out: &mut String, element: &str, attributes: impl FnOnce(&mut String), html: &str) {
    out.push('<');
    out.push_str(element);
    attributes(out);
    [">", html, "</", element, ">"].iter().for_each(|text| out.push_str(text));
}

/// The name of the element that the HTML begins with, if it begins with one.
fn tag(html: &str) -> Option<&str> {
    let name = html.strip_prefix('<')?;
    let end = name.find(|c: char| !(c.is_ascii_alphanumeric() || c == '-')).unwrap_or(name.len());
    (end > 0 && name.starts_with(|c: char| c.is_ascii_alphabetic())).then(|| &name[..end])
}

/// A wrapper element that may contain `tag`: the HTML parser drops table parts in any other.
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
    use serde_json::json;

    fn payload_text(frame: &EncodedFrame) -> String {
        String::from_utf8(frame.payload().to_vec()).unwrap()
    }

    fn encode_one(dialect: Dialect, patch: Patch, position: Option<Position>) -> String {
        let frames = dialect.patches(&[patch], position.as_ref());
        assert_eq!(frames.len(), 1);
        payload_text(&frames[0])
    }

    fn item() -> Html {
        Html::trusted("<li id=\"message--1\">x</li>")
    }

    fn position() -> Option<Position> {
        Position::parse("chat.room.1:3f9.7")
    }

    #[test]
    fn json_text_replaces_the_object_in_the_json_dialect_and_htmx_receives_the_patch() {
        let tick = || Patch::inner("#clock", Html::text("12:00")).json_text("12:00 <o'clock>");
        assert_eq!(encode_one(Dialect::Json, tick(), None), "12:00 <o'clock>");
        assert_eq!(
            encode_one(Dialect::Htmx, tick(), None),
            "<div hx-swap-oob=\"innerHTML:#clock\">12:00</div>"
        );
    }

    #[test]
    fn each_swap_has_an_htmx_form() {
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
            assert_eq!(encode_one(Dialect::Htmx, patch, None), html);
        }
    }

    #[test]
    fn the_position_url_title_and_focus_become_escaped_attributes() {
        let patch =
            Patch::inner("[name=\"q\"]", item()).url("/?a=1&b=2").title("\"><script>").focus("#q");
        assert_eq!(
            encode_one(Dialect::Htmx, patch, position()),
            concat!(
                "<div hx-swap-oob=\"innerHTML:[name=&quot;q&quot;]\" data-feed=\"chat.room.1\" ",
                "data-seq=\"3f9.7\" data-bw-url=\"/?a=1&amp;b=2\" ",
                "data-bw-title=\"&quot;&gt;&lt;script&gt;\" data-bw-focus=\"#q\">",
                "<li id=\"message--1\">x</li></div>"
            )
        );
    }

    #[test]
    fn the_json_form_is_the_one_of_the_book() {
        let frame = encode_one(Dialect::Json, Patch::append("#messages-list", item()), position());
        let value: serde_json::Value = serde_json::from_str(&frame).unwrap();
        let html = "<li id=\"message--1\">x</li>";
        assert_eq!(
            value,
            json!({
                "selector": "#messages-list",
                "html": html,
                "append": true,
                "feed": "chat.room.1",
                "seq": 7,
                "position": "chat.room.1:3f9.7",
            })
        );
        let frame = encode_one(Dialect::Json, Patch::remove("#a"), None);
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(&frame).unwrap(),
            json!({"selector": "#a", "html": "", "how": "remove"})
        );
    }

    #[test]
    fn only_the_last_of_several_patches_carries_the_position() {
        let patches = [Patch::append("#a", item()), Patch::append("#a", item())];
        let html = Dialect::Htmx.patches(&patches, position().as_ref());
        assert_eq!(html.len(), 1, "one frame, applied as a whole");
        assert_eq!(payload_text(&html[0]).matches("data-seq").count(), 1);
        let json = Dialect::Json.patches(&patches, position().as_ref());
        assert!(!payload_text(&json[0]).contains("seq"));
        assert!(payload_text(&json[1]).contains("\"seq\":7"));
    }

    #[test]
    fn an_error_is_escaped_and_an_untrusted_field_name_does_not_become_a_selector() {
        let error = |field: &str| {
            let refusal = Refusal::field(field, "<b>");
            payload_text(&Dialect::Htmx.error(&refusal, Some("\"x")))
        };
        assert_eq!(
            error("message"),
            concat!(
                "<div hx-swap-oob=\"innerHTML:#error--message\" data-error=\"message\" ",
                "data-client-id=\"&quot;x\">&lt;b&gt;</div>"
            )
        );
        assert!(error("x, body").contains("innerHTML:#error\""));
    }

    #[test]
    fn a_command_is_an_element_that_unmodified_htmx_ignores() {
        let event = || Patch::event("chat:unread", json!({ "count": 2, "from": "\"A\"" }));
        for (command, htmx, json) in [
            (
                event(),
                concat!(
                    r#"<div hx-swap-oob="none:body" data-bw-event="chat:unread" "#,
                    r#"data-bw-detail="{&quot;count&quot;:2,&quot;from&quot;:&quot;\&quot;A\"#,
                    r#"&quot;&quot;}"></div>"#
                ),
                r#"{"event":"chat:unread","detail":{"count":2,"from":"\"A\""}}"#,
            ),
            (
                Patch::redirect("/login/?a=1&b=2"),
                r#"<div hx-swap-oob="none:body" data-bw-redirect="/login/?a=1&amp;b=2"></div>"#,
                r#"{"redirect":"/login/?a=1&b=2"}"#,
            ),
            (
                Patch::reload(),
                r#"<div hx-swap-oob="none:body" data-bw-reload></div>"#,
                r#"{"reload":true}"#,
            ),
        ] {
            assert_eq!(encode_one(Dialect::Htmx, command.clone(), None), htmx);
            assert_eq!(encode_one(Dialect::Json, command, None), json);
        }
        let numbered = encode_one(Dialect::Htmx, event(), position());
        assert!(numbered.contains(r#" data-feed="chat.room.1" data-seq="3f9.7""#), "{numbered}");
    }

    #[test]
    fn the_number_of_children_to_keep_is_an_attribute() {
        let patch = || Patch::append("#a", Html::text("x")).keep_last(50);
        assert_eq!(
            encode_one(Dialect::Htmx, patch(), None),
            r##"<div hx-swap-oob="beforeend:#a" data-bw-keep-last="50">x</div>"##
        );
        let json = encode_one(Dialect::Json, patch(), None);
        assert_eq!(json, r##"{"selector":"#a","html":"x","append":true,"keep_last":50}"##);
    }

    #[test]
    fn an_answer_names_the_action_and_the_hello_names_the_person() {
        assert_eq!(payload_text(&Dialect::Json.answer("c-1")), r#"{"answer":"c-1"}"#);
        assert_eq!(
            payload_text(&Dialect::Htmx.answer("\"c")),
            r#"<div hx-swap-oob="none:body" data-bw-answer="&quot;c"></div>"#
        );
        let hello = |person| payload_text(&Dialect::Htmx.hello(person).unwrap());
        assert_eq!(
            hello(Some("user.5")),
            r#"<div hx-swap-oob="none:body" data-bw-hello="1" data-bw-person="user.5"></div>"#
        );
        assert!(hello(None).contains(r#"data-bw-person="""#));
        assert!(Dialect::Json.hello(None).is_none());
    }
}
