//! Parsing of frames into actions.

use std::borrow::Cow;

use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::{Frame, Refusal};

/// The maximum length of a client id that is returned in an answer, in bytes.
const CLIENT_ID_BYTES: usize = 128;

/// A type that a consumer receives, parsed from each frame or refused with a message for the
/// browser.
///
/// Implemented for [`Frame`], [`String`] (text only), [`Bytes`] (binary only), [`JsonFrame`], and
/// every [`Action`].
pub trait FromFrame: Sized + Send {
    /// Parses a frame.
    ///
    /// # Errors
    /// An error for the browser if the frame is invalid. The connection stays open.
    fn from_frame(frame: Frame) -> Result<Self, Refusal>;
}

/// The actions of a browser: an enum that is read from `{"action": …, "data": {…}}`.
///
/// ```
/// use bellwire::{Action, Frame, FromFrame};
///
/// #[derive(Debug, PartialEq, Action)]
/// enum ChatAction {
///     #[action(form)]
///     #[serde(rename = "New message")]
///     NewMessage { message: String },
///     Ring {},
/// }
///
/// let expected = ChatAction::NewMessage { message: "Hello".into() };
/// let json = r#"{"action": "New message", "data": {"message": "Hello"}}"#;
/// assert_eq!(ChatAction::from_frame(Frame::Text(json.into())).unwrap(), expected);
/// let htmx_form = r#"{"message": "Hello", "HEADERS": {"HX-Request": "true"}}"#;
/// assert_eq!(ChatAction::from_frame(Frame::Text(htmx_form.into())).unwrap(), expected);
/// ```
///
/// The derive understands serde's attributes for names and fields. Give each action a body in
/// braces, even an empty one (`Ring {}`), or one struct for which
/// [`ActionData`](derive@crate::ActionData) is derived.
pub trait Action: DeserializeOwned + Send {
    /// The action of a bare form: an object without `action`, as htmx sends it. The derive sets it
    /// to the variant with `#[action(form)]`.
    const FORM: Option<&'static str> = None;
    /// The actions by name, with the names of their fields, so that a test can check the templates
    /// of the pages that send them.
    const SPECS: &'static [ActionSpec] = &[];
}

/// The name of an action and of its fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ActionSpec {
    /// The name on the wire.
    pub name: &'static str,
    /// The names of the fields.
    pub fields: &'static [&'static str],
}

/// The data of an action that is a struct of its own; see [`Action`].
pub trait ActionData {
    /// The names of the fields.
    const FIELDS: &'static [&'static str];
}

/// A JSON value that serde deserializes as `T`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonFrame<T>(pub T);

impl FromFrame for Frame {
    fn from_frame(frame: Frame) -> Result<Self, Refusal> {
        Ok(frame)
    }
}

impl FromFrame for String {
    fn from_frame(frame: Frame) -> Result<Self, Refusal> {
        text(frame)
    }
}

impl FromFrame for Bytes {
    fn from_frame(frame: Frame) -> Result<Self, Refusal> {
        match frame {
            Frame::Binary(bytes) => Ok(bytes),
            Frame::Text(_) => Err(Refusal::general("This socket accepts only binary frames.")),
        }
    }
}

impl<T: DeserializeOwned + Send> FromFrame for JsonFrame<T> {
    fn from_frame(frame: Frame) -> Result<Self, Refusal> {
        let text = text(frame)?;
        let reader = &mut serde_json::Deserializer::from_str(&text);
        serde_path_to_error::deserialize(reader).map(JsonFrame).map_err(|error| invalid(&error))
    }
}

impl<A: Action> FromFrame for A {
    fn from_frame(frame: Frame) -> Result<Self, Refusal> {
        let text = text(frame)?;
        // Most frames are valid and are deserialized directly. Only an invalid one, or a bare form,
        // is parsed a second time, more slowly, for the error message.
        serde_json::from_str(&text).or_else(|_| parse_with_errors::<A>(&text))
    }
}

fn parse_with_errors<A: Action>(text: &str) -> Result<A, Refusal> {
    let value: Value = match serde_json::from_str(text) {
        Ok(value) => value,
        Err(_) if text.trim().is_empty() => return Err(Refusal::general("The frame was empty.")),
        Err(error) => return Err(Refusal::general(format!("Invalid JSON: {error}."))),
    };
    let Value::Object(object) = value else {
        return Err(Refusal::general("Expected an object such as {\"action\": …, \"data\": {…}}."));
    };
    let (name, data) = name_and_data::<A>(object)?;
    let mut action = Map::new();
    action.insert("action".into(), Value::String(name));
    action.insert("data".into(), data);
    serde_path_to_error::deserialize(Value::Object(action)).map_err(|error| invalid(&error))
}

/// The action's name and its data, from `{"action", "data"}` or from a form's flat fields.
fn name_and_data<A: Action>(mut object: Map<String, Value>) -> Result<(String, Value), Refusal> {
    let name = match object.remove("action") {
        Some(Value::String(name)) => name,
        Some(_) => return Err(Refusal::field("action", "`action` must be text.")),
        None => {
            A::FORM.map(str::to_owned).ok_or_else(|| Refusal::general("`action` is missing."))?
        }
    };
    let data = match object.remove("data") {
        Some(data @ Value::Object(_)) => data,
        Some(_) => return Err(Refusal::field("data", "`data` must be an object.")),
        None => {
            // htmx 2 sends its request headers as HEADERS, htmx 4 as headers.
            object.remove("HEADERS");
            object.remove("headers");
            Value::Object(object)
        }
    };
    Ok((name, data))
}

fn text(frame: Frame) -> Result<String, Refusal> {
    match frame {
        Frame::Text(text) => Ok(text),
        Frame::Binary(_) => Err(Refusal::general("This socket accepts only text frames.")),
    }
}

/// serde's error as a message for the user, with the field that it is about.
fn invalid<E: std::error::Error>(error: &serde_path_to_error::Error<E>) -> Refusal {
    let path = error.path().to_string();
    let reason = error.inner().to_string();
    let quoted = reason.split('`').nth(1).unwrap_or_default();
    if reason.starts_with("missing field") {
        return Refusal::field(quoted, format!("`{quoted}` is missing."));
    }
    if path == "action" && reason.starts_with("unknown variant") {
        return Refusal::field("action", format!("Unknown action `{quoted}`."));
    }
    let field = path.strip_prefix("data.").unwrap_or(&path).to_owned();
    let field = (!matches!(field.as_str(), "" | "." | "data" | "?")).then_some(field);
    let reason = reason.split(" at line ").next().unwrap_or_default();
    let message = match &field {
        Some(field) => format!("Invalid `{field}`: {reason}."),
        None => format!("Invalid message: {reason}."),
    };
    Refusal { field, ..Refusal::general(message) }
}

/// The client id in a frame, if any: in the data of an action, beside it, or in a bare form. The
/// answer contains it, so that the page knows which action is answered.
pub(crate) fn client_id(text: &str) -> Option<String> {
    if !text.contains("client_id") {
        return None;
    }
    let outer: WithClientId<'_> = serde_json::from_str(text).ok()?;
    let in_data = outer.data.and_then(|data| serde_json::from_str(data.get()).ok());
    let raw = in_data.and_then(|inner: WithClientId<'_>| inner.client_id).or(outer.client_id)?;
    let id: Cow<'_, str> = serde_json::from_str(raw.get()).ok()?;
    (1..=CLIENT_ID_BYTES).contains(&id.len()).then(|| id.into_owned())
}

#[derive(serde::Deserialize)]
struct WithClientId<'a> {
    #[serde(borrow, default)]
    client_id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    data: Option<&'a RawValue>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, serde::Deserialize)]
    #[serde(tag = "action", content = "data")]
    enum DemoAction {
        Say { message: String, times: Option<u8> },
        Ring {},
    }
    impl Action for DemoAction {
        const FORM: Option<&'static str> = Some("Say");
    }

    fn parse(text: &str) -> Result<DemoAction, Refusal> {
        DemoAction::from_frame(Frame::Text(text.into()))
    }

    fn parse_error(text: &str) -> (Option<String>, String) {
        let invalid = parse(text).unwrap_err();
        (invalid.field, invalid.message)
    }

    #[test]
    fn an_action_without_fields_accepts_empty_or_missing_data() {
        assert_eq!(parse(r#"{"action":"Ring","data":{}}"#), Ok(DemoAction::Ring {}));
        assert_eq!(parse(r#"{"action":"Ring"}"#), Ok(DemoAction::Ring {}));
    }

    #[test]
    fn forms_of_htmx_2_and_4_are_parsed_and_their_headers_ignored() {
        let say = Ok(DemoAction::Say { message: "hi".into(), times: None });
        assert_eq!(parse(r#"{"message":"hi","HEADERS":{"HX-Request":"true"}}"#), say);
        assert_eq!(parse(r#"{"message":"hi","headers":{"HX-Request":"true"}}"#), say);
        assert_eq!(parse(r#"{"action":"Ring","HEADERS":{}}"#), Ok(DemoAction::Ring {}));
    }

    #[test]
    fn the_error_of_an_invalid_frame_names_the_reason_and_the_field() {
        for (frame, field, message) in [
            ("", None, "The frame was empty."),
            ("  ", None, "The frame was empty."),
            ("hello", None, "Invalid JSON: expected value at line 1 column 1."),
            ("[1]", None, "Expected an object such as {\"action\": …, \"data\": {…}}."),
            ("null", None, "Expected an object such as {\"action\": …, \"data\": {…}}."),
            (r#"{"action":5}"#, Some("action"), "`action` must be text."),
            (r#"{"action":"Dance","data":{}}"#, Some("action"), "Unknown action `Dance`."),
            (r#"{"action":"Say","data":5}"#, Some("data"), "`data` must be an object."),
            (r#"{"action":"Say","data":{}}"#, Some("message"), "`message` is missing."),
            (
                r#"{"action":"Say","data":{"message":5}}"#,
                Some("message"),
                "Invalid `message`: invalid type: integer `5`, expected a string.",
            ),
            (
                r#"{"action":"Say","data":{"message":"x","times":-1}}"#,
                Some("times"),
                "Invalid `times`: invalid value: integer `-1`, expected u8.",
            ),
        ] {
            assert_eq!(
                parse_error(frame),
                (field.map(str::to_owned), message.to_owned()),
                "{frame}"
            );
        }
    }

    #[test]
    fn a_binary_frame_is_refused_if_text_is_expected_and_vice_versa() {
        assert!(DemoAction::from_frame(Frame::Binary(Bytes::from_static(b"x"))).is_err());
        assert!(Bytes::from_frame(Frame::Text("x".into())).is_err());
    }

    #[test]
    fn the_client_id_is_found_in_actions_and_forms_unless_it_is_too_long() {
        assert_eq!(client_id(r#"{"action":"Say","data":{"client_id":"a"}}"#), Some("a".into()));
        assert_eq!(client_id(r#"{"message":"","client_id":"b"}"#), Some("b".into()));
        let beside = r#"{"action":"Say","data":{"message":""},"client_id":"c\u00e4"}"#;
        assert_eq!(client_id(beside), Some("cä".into()));
        for bad in [r#"{"client_id":5}"#, r#"{"client_id":""}"#, r#"{"data":[],"client_id":null}"#]
        {
            assert_eq!(client_id(bad), None, "{bad}");
        }
        assert_eq!(client_id(r#"{"data":"x","client_id":"d"}"#), Some("d".into()));
        assert_eq!(client_id(&format!(r#"{{"client_id":"{}"}}"#, "x".repeat(500))), None);
        assert_eq!(client_id("no json"), None);
    }
}
