use serde_json::{Value, json};

/// A key that is not a letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    /// Sends or confirms.
    Enter,
    /// Leaves.
    Escape,
    /// The arrow that points up.
    Up,
    /// Deletes what is selected.
    Delete,
}

/// Text to type, or one key to press.
#[derive(Debug, Clone, Copy)]
pub enum Keys<'a> {
    /// Letter by letter.
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
    /// Everything a keyboard does for this, in order.
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
        // No key of this keyboard has it; an input method brings it.
        _ => vec![("Input.insertText", json!({ "text": letter.to_string() }))],
    }
}

/// Letters and digits have the code of their upper case; the rest has none that a page relies on.
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
