use std::sync::Mutex;

use serde_json::Value;

/// A network error that a story causes on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NetworkError {
    /// The server cannot be reached, or a connection ends in the middle.
    Unreachable,
    /// The server answers with this status.
    Status(u16),
}

/// An error or a warning in a browser's console.
#[derive(Debug, Clone)]
struct ConsoleMessage {
    text: String,
    is_error: bool,
    network_error: Option<NetworkError>,
}

/// The errors and warnings of one person's pages: uncaught errors, unhandled rejections, console
/// output, failed requests, violations of the content security policy.
#[derive(Debug, Default)]
pub(crate) struct ConsoleLog {
    messages: Mutex<Vec<ConsoleMessage>>,
    expected: Mutex<Vec<NetworkError>>,
}

impl ConsoleLog {
    pub(crate) fn record(&self, method: &str, parameters: &Value) {
        let message = match method {
            "Runtime.exceptionThrown" => Some(uncaught(&parameters["exceptionDetails"])),
            "Runtime.consoleAPICalled" => written(parameters),
            "Log.entryAdded" => logged(&parameters["entry"]),
            _ => None,
        };
        self.messages.lock().expect("messages").extend(message);
    }

    /// Ignores this network error in past and future messages.
    pub(crate) fn expect(&self, network_error: NetworkError) {
        self.expected.lock().expect("expectations").push(network_error);
    }

    /// Takes all unexpected messages.
    pub(crate) fn take(&self) -> Vec<String> {
        let expected = self.expected.lock().expect("expectations");
        let messages = std::mem::take(&mut *self.messages.lock().expect("messages"));
        let is_unexpected = |message: &ConsoleMessage| {
            !message.network_error.is_some_and(|it| expected.contains(&it))
        };
        messages.into_iter().filter(is_unexpected).map(|message| message.text).collect()
    }

    /// Takes all unexpected errors. Warnings fail only stories that check them.
    pub(crate) fn take_errors(&self) -> Vec<String> {
        self.messages.lock().expect("messages").retain(|message| message.is_error);
        self.take()
    }
}

/// An uncaught error or an unhandled rejection.
fn uncaught(details: &Value) -> ConsoleMessage {
    let text = details["text"].as_str().unwrap_or_default();
    let exception = &details["exception"];
    let what = exception["description"]
        .as_str()
        .map_or_else(|| exception["value"].to_string(), str::to_owned);
    let place = format!("{}:{}", details["url"].as_str().unwrap_or("?"), details["lineNumber"]);
    ConsoleMessage {
        text: format!("{text} {what} at {place}"),
        is_error: true,
        network_error: None,
    }
}

/// `console.error`, `console.assert` and `console.warn`.
fn written(parameters: &Value) -> Option<ConsoleMessage> {
    let kind = parameters["type"].as_str()?;
    let is_error = matches!(kind, "error" | "assert");
    if !is_error && kind != "warning" {
        return None;
    }
    let word = |argument: &Value| {
        argument["description"]
            .as_str()
            .map_or_else(|| argument["value"].to_string(), str::to_owned)
    };
    let words: Vec<_> = parameters["args"].as_array().into_iter().flatten().map(word).collect();
    Some(ConsoleMessage {
        text: format!("console.{kind}: {}", words.join(" ")),
        is_error,
        network_error: None,
    })
}

/// An error or a warning of the browser itself.
fn logged(entry: &Value) -> Option<ConsoleMessage> {
    let is_error = match entry["level"].as_str()? {
        "error" => true,
        "warning" => false,
        _ => return None,
    };
    let text = entry["text"].as_str().unwrap_or_default();
    let url = entry["url"].as_str().unwrap_or_default();
    let line = format!("{}: {text} ({url})", entry["source"].as_str().unwrap_or_default());
    Some(ConsoleMessage { text: line, is_error, network_error: network_error_in(text) })
}

/// Chromium's messages about connections that failed, or ended early.
const CUT: [&str; 4] = [
    "net::ERR_",
    "Connection closed before receiving a handshake response",
    "WebSocket is closed before the connection is established",
    "Connection reset",
];

/// The network error that a browser message describes.
fn network_error_in(text: &str) -> Option<NetworkError> {
    let status = ["responded with a status of ", "Unexpected response code: "];
    let status = status.iter().find_map(|marker| text.split_once(marker));
    if let Some((_, rest)) = status {
        let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
        return digits.parse().ok().map(NetworkError::Status);
    }
    let is_about_a_connection = ["Failed to load resource: ", "WebSocket connection to "]
        .iter()
        .any(|prefix| text.starts_with(prefix));
    // A frame that the browser could not read is not included: that is a server error.
    let is_cut = CUT.iter().any(|cause| text.contains(cause));
    (is_about_a_connection && is_cut).then_some(NetworkError::Unreachable)
}
