//! Encoding of frames as server-sent events, in the format of the HTML standard (§9.2.6).

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::{BufMut, BytesMut};

use crate::Close;
use crate::position::Position;
use crate::transport::EncodedFrame;

/// A comment line: the peer need not answer, but the network sees that the connection is in use.
const HEARTBEAT: &[u8] = b":\n\n";

/// The end of an event, at which the browser dispatches it.
pub(super) const END: &[u8] = b"\n";

/// Writes an event without its end, so that an id may follow.
pub(super) fn frame(out: &mut BytesMut, frame: &EncodedFrame) {
    if frame.is_ping() {
        out.put_slice(HEARTBEAT);
    } else if frame.is_text() {
        data(out, &frame.payload());
    } else {
        out.put_slice(b"event: binary\n");
        data(out, BASE64.encode(frame.payload()).as_bytes());
    }
}

/// Writes the position in each feed as the id of the event, in the format of `?since=`.
pub(super) fn id(out: &mut BytesMut, positions: &[Position]) {
    let positions: Vec<_> = positions.iter().map(Position::to_string).collect();
    out.put_slice(format!("id: {}\n", positions.join(",")).as_bytes());
}

/// Writes a close event for the codes that the browser has to know; otherwise it would reconnect.
pub(super) fn close(out: &mut BytesMut, close: &Close) {
    if matches!(close.code(), Close::NORMAL | Close::POLICY | Close::RESTART | 3000..) {
        out.put_slice(b"event: close\n");
        // Serialization cannot fail: the values are a number and a text.
        data(out, &serde_json::to_vec(close).unwrap_or_default());
        out.put_slice(END);
    }
}

/// Writes a notice for the developer of the page.
pub(super) fn notice(out: &mut BytesMut, message: &str) {
    out.put_slice(b"event: notice\n");
    data(out, serde_json::json!({ "message": message }).to_string().as_bytes());
    out.put_slice(END);
}

/// Writes the time after which the browser reconnects, in milliseconds.
pub(super) fn retry(out: &mut BytesMut, millis: u64) {
    out.put_slice(format!("retry: {millis}\n\n").as_bytes());
}

/// Writes a `data` line for each line of the payload. Only CR, LF and CRLF end a line (U+2028, for
/// example, does not); the reader receives an LF for each.
fn data(out: &mut BytesMut, payload: &[u8]) {
    out.reserve(payload.len() + 16);
    let mut rest = payload;
    loop {
        let line = rest.iter().position(|byte| matches!(byte, b'\r' | b'\n')).unwrap_or(rest.len());
        out.put_slice(b"data: ");
        out.put_slice(&rest[..line]);
        out.put_slice(b"\n");
        rest = match &rest[line..] {
            [] => return,
            [b'\r', b'\n', next @ ..] | [_, next @ ..] => next,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(write: impl FnOnce(&mut BytesMut)) -> String {
        let mut out = BytesMut::new();
        write(&mut out);
        String::from_utf8(out.to_vec()).unwrap()
    }

    #[test]
    fn each_line_becomes_a_data_line_whatever_its_ending() {
        for (text, event) in [
            ("one", "data: one\n"),
            ("", "data: \n"),
            ("a\nb\r\nc\rd", "data: a\ndata: b\ndata: c\ndata: d\n"),
            ("a\n\nb", "data: a\ndata: \ndata: b\n"),
            ("a\r\rb", "data: a\ndata: \ndata: b\n"),
            ("a\n\rb", "data: a\ndata: \ndata: b\n"),
            ("\n", "data: \ndata: \n"),
            ("a\r\n", "data: a\ndata: \n"),
            (" a: b", "data:  a: b\n"),
            ("id: 7\nevent: close", "data: id: 7\ndata: event: close\n"),
            (
                "a\u{2028}b\u{2029}c\u{85}d\u{b}e\0\u{feff}",
                "data: a\u{2028}b\u{2029}c\u{85}d\u{b}e\0\u{feff}\n",
            ),
        ] {
            assert_eq!(
                written(|out| frame(out, &EncodedFrame::text(text.as_bytes()))),
                event,
                "{text:?}"
            );
        }
    }

    #[test]
    fn binary_frames_become_base64_and_pings_become_comments() {
        let bytes = EncodedFrame::binary(b"\xff\n\n\0");
        assert_eq!(written(|out| frame(out, &bytes)), "event: binary\ndata: /woKAA==\n");
        assert_eq!(written(|out| frame(out, &EncodedFrame::ping())), ":\n\n");
    }

    #[test]
    fn an_id_contains_every_feed() {
        let positions = ["chat.room.1:3f9.42", "blog:3f9.7"].map(|it| Position::parse(it).unwrap());
        assert_eq!(written(|out| id(out, &positions)), "id: chat.room.1:3f9.42,blog:3f9.7\n");
    }

    #[test]
    fn only_closes_that_the_browser_has_to_know_are_sent() {
        for code in [1000, 1008, 1012, 3000, 4001, 4999] {
            let event = format!("event: close\ndata: {{\"code\":{code},\"reason\":\"a\\nb\"}}\n\n");
            assert_eq!(written(|out| close(out, &Close::new(code, "a\nb"))), event);
        }
        for code in [1001, 1002, 1007, 1009, 1011, 1013] {
            assert_eq!(written(|out| close(out, &Close::new(code, "x"))), "", "{code}");
        }
    }
}
