use serde_json::{Value, json};

/// A special key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    /// The Enter key.
    Enter,
    /// The Escape key.
    Escape,
    /// The up arrow.
    Up,
    /// The Delete key.
    Delete,
}

/// Text to type, or one key to press.
#[derive(Debug, Clone, Copy)]
pub enum Keys<'a> {
    /// Text, typed character by character.
    Text(&'a str),
    /// One key.
    Key(Key),
}

impl<'a> From<&'a str> for Keys<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(text)
    }
}

impl From<Key> for Keys<'_> {
    fn from(key: Key) -> Self {
        Self::Key(key)
    }
}

/// A command of the DevTools protocol and its parameters.
type Stroke = (&'static str, Value);

impl Keys<'_> {
    /// The commands for all key strokes, in order.
    pub(crate) fn strokes(self) -> Vec<Stroke> {
        match self {
            Self::Text(text) => text.chars().flat_map(letter).collect(),
            Self::Key(key) => special(key),
        }
    }
}

fn letter(letter: char) -> Vec<Stroke> {
    match letter {
        '\n' => special(Key::Enter),
        ' '..='~' => pressed(json!({
            "key": letter.to_string(),
            "text": letter.to_string(),
            "unmodifiedText": letter.to_string(),
            "windowsVirtualKeyCode": code_of(letter),
        })),
        // No key of this keyboard produces it; an input method inserts it.
        _ => vec![("Input.insertText", json!({ "text": letter.to_string() }))],
    }
}

/// The virtual key code: letters and digits have the code of their upper case. Pages rely on no
/// other codes.
fn code_of(letter: char) -> u32 {
    if letter.is_ascii_alphanumeric() { u32::from(letter.to_ascii_uppercase()) } else { 0 }
}

fn special(key: Key) -> Vec<Stroke> {
    let (name, code) = match key {
        Key::Enter => ("Enter", 13),
        Key::Escape => ("Escape", 27),
        Key::Up => ("ArrowUp", 38),
        Key::Delete => ("Delete", 46),
    };
    let mut parameters = json!({ "key": name, "code": name, "windowsVirtualKeyCode": code });
    if key == Key::Enter {
        parameters["text"] = json!("\r");
        parameters["unmodifiedText"] = json!("\r");
    }
    pressed(parameters)
}

fn pressed(parameters: Value) -> Vec<Stroke> {
    let (mut down, mut up) = (parameters.clone(), parameters);
    down["type"] = json!(if down["text"].is_null() { "rawKeyDown" } else { "keyDown" });
    up["type"] = json!("keyUp");
    if let Some(up) = up.as_object_mut() {
        up.remove("text");
        up.remove("unmodifiedText");
    }
    vec![("Input.dispatchKeyEvent", down), ("Input.dispatchKeyEvent", up)]
}
