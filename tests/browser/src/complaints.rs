use std::sync::Mutex;

use serde_json::Value;

/// A network error that a story causes on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// The server cannot be reached, or a connection ends in the middle.
    Unreachable,
    /// The server answers with this status.
    Status(u16),
}

/// What a browser complained about.
#[derive(Debug, Clone)]
struct Complaint {
    words: String,
    is_error: bool,
    trouble: Option<Trouble>,
}

/// The errors and warnings of one person's pages: uncaught errors, unhandled rejections, what was
/// written to the console, failed requests, violations of the page's security policy.
#[derive(Debug, Default)]
pub(crate) struct Complaints {
    heard: Mutex<Vec<Complaint>>,
    expected: Mutex<Vec<Trouble>>,
}

impl Complaints {
    pub(crate) fn hear(&self, method: &str, parameters: &Value) {
        let complaint = match method {
            "Runtime.exceptionThrown" => Some(uncaught(&parameters["exceptionDetails"])),
            "Runtime.consoleAPICalled" => written(parameters),
            "Log.entryAdded" => logged(&parameters["entry"]),
            _ => None,
        };
        self.heard.lock().expect("complaints").extend(complaint);
    }

    /// Lets this trouble pass, in what was heard and in what will be.
    pub(crate) fn expect(&self, trouble: Trouble) {
        self.expected.lock().expect("expectations").push(trouble);
    }

    /// Takes everything nobody expected.
    pub(crate) fn take(&self) -> Vec<String> {
        let expected = self.expected.lock().expect("expectations");
        let heard = std::mem::take(&mut *self.heard.lock().expect("complaints"));
        let is_unexpected =
            |complaint: &Complaint| !complaint.trouble.is_some_and(|it| expected.contains(&it));
        heard.into_iter().filter(is_unexpected).map(|complaint| complaint.words).collect()
    }

    /// Takes the errors nobody expected. Warnings do not fail a story that does not ask for them.
    pub(crate) fn take_errors(&self) -> Vec<String> {
        self.heard.lock().expect("complaints").retain(|complaint| complaint.is_error);
        self.take()
    }
}

/// An error that nothing caught, or a rejection that nothing handled.
fn uncaught(details: &Value) -> Complaint {
    let text = details["text"].as_str().unwrap_or_default();
    let exception = &details["exception"];
    let what = exception["description"]
        .as_str()
        .map_or_else(|| exception["value"].to_string(), str::to_owned);
    let place = format!("{}:{}", details["url"].as_str().unwrap_or("?"), details["lineNumber"]);
    Complaint { words: format!("{text} {what} at {place}"), is_error: true, trouble: None }
}

/// `console.error`, `console.assert` and `console.warn`.
fn written(parameters: &Value) -> Option<Complaint> {
    let kind = parameters["type"].as_str()?;
    let is_error = matches!(kind, "error" | "assert");
    if !is_error && kind != "warning" {
        return None;
    }
    let word = |given: &Value| {
        given["description"].as_str().map_or_else(|| given["value"].to_string(), str::to_owned)
    };
    let words: Vec<_> = parameters["args"].as_array().into_iter().flatten().map(word).collect();
    Some(Complaint {
        words: format!("console.{kind}: {}", words.join(" ")),
        is_error,
        trouble: None,
    })
}

/// An error or a warning of the browser itself.
fn logged(entry: &Value) -> Option<Complaint> {
    let is_error = match entry["level"].as_str()? {
        "error" => true,
        "warning" => false,
        _ => return None,
    };
    let text = entry["text"].as_str().unwrap_or_default();
    let at = entry["url"].as_str().unwrap_or_default();
    let words = format!("{}: {text} ({at})", entry["source"].as_str().unwrap_or_default());
    Some(Complaint { words, is_error, trouble: trouble_in(text) })
}

/// What Chromium says of a connection that did not come about, or ended in the middle.
const CUT: [&str; 4] = [
    "net::ERR_",
    "Connection closed before receiving a handshake response",
    "WebSocket is closed before the connection is established",
    "Connection reset",
];

/// The trouble that the browser's words describe.
fn trouble_in(text: &str) -> Option<Trouble> {
    let status = ["responded with a status of ", "Unexpected response code: "];
    let status = status.iter().find_map(|words| text.split_once(words));
    if let Some((_, rest)) = status {
        let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
        return digits.parse().ok().map(Trouble::Status);
    }
    let is_about_a_connection = ["Failed to load resource: ", "WebSocket connection to "]
        .iter()
        .any(|words| text.starts_with(words));
    // Not a frame that the browser could not read: that is a fault of the server's.
    let is_cut = CUT.iter().any(|words| text.contains(words));
    (is_about_a_connection && is_cut).then_some(Trouble::Unreachable)
}
