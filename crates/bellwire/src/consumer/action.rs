//! Text becomes a type, once, at the door.

use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::Frame;
use crate::Invalid;

/// The longest client id that is passed back in an error.
const CLIENT_ID_BYTES: usize = 128;

/// What a consumer receives: made from each frame, or refused with a sentence for the browser.
///
/// Ready-made: [`Frame`], [`String`] (text only), [`Bytes`] (binary only), [`JsonFrame`], and every
/// [`Action`].
pub trait FromFrame: Sized + Send {
    /// Makes a value of the frame.
    ///
    /// # Errors
    /// What to tell the browser; the connection lives.
    fn from_frame(frame: Frame) -> Result<Self, Invalid>;
}

/// What the browser may ask for: an enum that serde reads from `{"action": …, "data": {…}}`.
///
/// ```
/// use bellwire::{Action, Frame, FromFrame};
///
/// #[derive(Debug, PartialEq, serde::Deserialize)]
/// #[serde(tag = "action", content = "data")]
/// enum Ask {
///     #[serde(rename = "New message")]
///     NewMessage { message: String },
/// }
/// impl Action for Ask {
///     const FORM: Option<&'static str> = Some("New message");
/// }
///
/// let asked = Ask::NewMessage { message: "Hello".into() };
/// let json = r#"{"action": "New message", "data": {"message": "Hello"}}"#;
/// assert_eq!(Ask::from_frame(Frame::Text(json.into())).unwrap(), asked);
/// let htmx_form = r#"{"message": "Hello", "HEADERS": {"HX-Request": "true"}}"#;
/// assert_eq!(Ask::from_frame(Frame::Text(htmx_form.into())).unwrap(), asked);
/// ```
///
/// Give each action a body in braces, even an empty one (`Ring {}`), so that `"data": {}` and no
/// `data` both fit.
pub trait Action: DeserializeOwned + Send {
    /// The action that a bare form means: an object without `action`, as htmx sends it.
    const FORM: Option<&'static str> = None;
}

/// Any JSON value that serde can read as `T`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonFrame<T>(pub T);

impl FromFrame for Frame {
    fn from_frame(frame: Frame) -> Result<Self, Invalid> {
        Ok(frame)
    }
}

impl FromFrame for String {
    fn from_frame(frame: Frame) -> Result<Self, Invalid> {
        text(frame)
    }
}

impl FromFrame for Bytes {
    fn from_frame(frame: Frame) -> Result<Self, Invalid> {
        match frame {
            Frame::Binary(bytes) => Ok(bytes),
            Frame::Text(_) => Err(Invalid::general("This socket understands binary frames only.")),
        }
    }
}

impl<T: DeserializeOwned + Send> FromFrame for JsonFrame<T> {
    fn from_frame(frame: Frame) -> Result<Self, Invalid> {
        let text = text(frame)?;
        let reader = &mut serde_json::Deserializer::from_str(&text);
        serde_path_to_error::deserialize(reader).map(JsonFrame).map_err(|error| explained(&error))
    }
}

impl<A: Action> FromFrame for A {
    fn from_frame(frame: Frame) -> Result<Self, Invalid> {
        let text = text(frame)?;
        // Nearly every frame is right: it is read straight into the type. Only a wrong one, or a
        // bare form, is read a second time, slowly, to find out what to say.
        serde_json::from_str(&text).or_else(|_| slowly::<A>(&text))
    }
}

fn slowly<A: Action>(text: &str) -> Result<A, Invalid> {
    let value: Value = match serde_json::from_str(text) {
        Ok(value) => value,
        Err(_) if text.trim().is_empty() => return Err(Invalid::general("The frame was empty.")),
        Err(error) => return Err(Invalid::general(format!("This is not JSON: {error}."))),
    };
    let Value::Object(object) = value else {
        return Err(Invalid::general("Expected an object such as {\"action\": …, \"data\": {…}}."));
    };
    let (name, data) = named::<A>(object)?;
    let mut ask = Map::new();
    ask.insert("action".into(), Value::String(name));
    ask.insert("data".into(), data);
    serde_path_to_error::deserialize(Value::Object(ask)).map_err(|error| explained(&error))
}

/// The action's name and its data, from `{"action", "data"}` or from a form's flat fields.
fn named<A: Action>(mut object: Map<String, Value>) -> Result<(String, Value), Invalid> {
    let name = match object.remove("action") {
        Some(Value::String(name)) => name,
        Some(_) => return Err(Invalid::field("action", "`action` must be text.")),
        None => {
            A::FORM.map(str::to_owned).ok_or_else(|| Invalid::general("`action` is missing."))?
        }
    };
    let data = match object.remove("data") {
        Some(data @ Value::Object(_)) => data,
        Some(_) => return Err(Invalid::field("data", "`data` must be an object.")),
        None => {
            // htmx 2 sends its request headers as HEADERS, htmx 4 as headers.
            object.remove("HEADERS");
            object.remove("headers");
            Value::Object(object)
        }
    };
    Ok((name, data))
}

fn text(frame: Frame) -> Result<String, Invalid> {
    match frame {
        Frame::Text(text) => Ok(text),
        Frame::Binary(_) => Err(Invalid::general("This socket understands text frames only.")),
    }
}

/// serde's finding in words for a person, with the field it is about.
fn explained<E: std::error::Error>(error: &serde_path_to_error::Error<E>) -> Invalid {
    let path = error.path().to_string();
    let finding = error.inner().to_string();
    let quoted = finding.split('`').nth(1).unwrap_or_default();
    if finding.starts_with("missing field") {
        return Invalid::field(quoted, format!("`{quoted}` is missing."));
    }
    if path == "action" && finding.starts_with("unknown variant") {
        return Invalid::field("action", format!("Unknown action `{quoted}`."));
    }
    let field = path.strip_prefix("data.").unwrap_or(&path).to_owned();
    let field = (!matches!(field.as_str(), "" | "." | "data" | "?")).then_some(field);
    let finding = finding.split(" at line ").next().unwrap_or_default();
    let message = match &field {
        Some(field) => format!("`{field}` will not do: {finding}."),
        None => format!("This will not do: {finding}."),
    };
    Invalid { field, message }
}

/// The client id that a frame carries, if any: an error answer takes it along so that the page
/// knows which ask failed.
pub(crate) fn client_id(text: &str) -> Option<String> {
    let value: Value = serde_json::from_str(text).ok()?;
    let id = value.pointer("/data/client_id").or_else(|| value.get("client_id"))?.as_str()?;
    (id.len() <= CLIENT_ID_BYTES).then(|| id.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, serde::Deserialize)]
    #[serde(tag = "action", content = "data")]
    enum Ask {
        Say { message: String, times: Option<u8> },
        Ring {},
    }
    impl Action for Ask {
        const FORM: Option<&'static str> = Some("Say");
    }

    fn ask(text: &str) -> Result<Ask, Invalid> {
        Ask::from_frame(Frame::Text(text.into()))
    }

    fn refusal(text: &str) -> (Option<String>, String) {
        let invalid = ask(text).unwrap_err();
        (invalid.field, invalid.message)
    }

    #[test]
    fn an_action_without_fields_comes_with_empty_data_or_none() {
        assert_eq!(ask(r#"{"action":"Ring","data":{}}"#), Ok(Ask::Ring {}));
        assert_eq!(ask(r#"{"action":"Ring"}"#), Ok(Ask::Ring {}));
    }

    #[test]
    fn the_forms_of_htmx_2_and_4_are_understood_without_their_headers() {
        let say = Ok(Ask::Say { message: "hi".into(), times: None });
        assert_eq!(ask(r#"{"message":"hi","HEADERS":{"HX-Request":"true"}}"#), say);
        assert_eq!(ask(r#"{"message":"hi","headers":{"HX-Request":"true"}}"#), say);
        assert_eq!(ask(r#"{"action":"Ring","HEADERS":{}}"#), Ok(Ask::Ring {}));
    }

    #[test]
    fn each_wrong_frame_is_told_what_is_wrong_and_where() {
        for (frame, field, message) in [
            ("", None, "The frame was empty."),
            ("  ", None, "The frame was empty."),
            ("hello", None, "This is not JSON: expected value at line 1 column 1."),
            ("[1]", None, "Expected an object such as {\"action\": …, \"data\": {…}}."),
            ("null", None, "Expected an object such as {\"action\": …, \"data\": {…}}."),
            (r#"{"action":5}"#, Some("action"), "`action` must be text."),
            (r#"{"action":"Dance","data":{}}"#, Some("action"), "Unknown action `Dance`."),
            (r#"{"action":"Say","data":5}"#, Some("data"), "`data` must be an object."),
            (r#"{"action":"Say","data":{}}"#, Some("message"), "`message` is missing."),
            (
                r#"{"action":"Say","data":{"message":5}}"#,
                Some("message"),
                "`message` will not do: invalid type: integer `5`, expected a string.",
            ),
            (
                r#"{"action":"Say","data":{"message":"x","times":-1}}"#,
                Some("times"),
                "`times` will not do: invalid value: integer `-1`, expected u8.",
            ),
        ] {
            assert_eq!(refusal(frame), (field.map(str::to_owned), message.to_owned()), "{frame}");
        }
    }

    #[test]
    fn a_binary_frame_is_refused_where_text_is_expected() {
        assert!(Ask::from_frame(Frame::Binary(Bytes::from_static(b"x"))).is_err());
        assert!(Bytes::from_frame(Frame::Text("x".into())).is_err());
    }

    #[test]
    fn the_client_id_is_found_in_actions_and_forms_and_never_trusted_in_length() {
        assert_eq!(client_id(r#"{"action":"Say","data":{"client_id":"a"}}"#), Some("a".into()));
        assert_eq!(client_id(r#"{"message":"","client_id":"b"}"#), Some("b".into()));
        assert_eq!(client_id(&format!(r#"{{"client_id":"{}"}}"#, "x".repeat(500))), None);
        assert_eq!(client_id("no json"), None);
    }
}
