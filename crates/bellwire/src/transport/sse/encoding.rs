//! Frames as server-sent events, in the format of the HTML standard (§9.2.6).

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::{BufMut, BytesMut};

use crate::transport::EncodedFrame;
use crate::{Close, GroupName, Seq};

/// A line that says nothing: the other side need not answer, but the network sees that there is
/// life.
const HEARTBEAT: &[u8] = b":\n\n";

/// What ends an event, and has the browser act on it.
pub(super) const END: &[u8] = b"\n";

/// Writes an event up to where its id may follow.
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

/// Where each feed stands, as `?since=` says it.
pub(super) fn id(out: &mut BytesMut, positions: &[(GroupName, Seq)]) {
    let positions: Vec<_> = positions.iter().map(|(feed, seq)| format!("{feed}:{seq}")).collect();
    out.put_slice(format!("id: {}\n", positions.join(",")).as_bytes());
}

/// The end, where the browser has to know of it: it would come back otherwise.
pub(super) fn close(out: &mut BytesMut, close: &Close) {
    if matches!(close.code(), Close::NORMAL | Close::POLICY | 3000..) {
        out.put_slice(b"event: close\n");
        // A number and a text always have a JSON form.
        data(out, &serde_json::to_vec(close).unwrap_or_default());
        out.put_slice(END);
    }
}

/// How many milliseconds to wait before coming back.
pub(super) fn retry(out: &mut BytesMut, millis: u64) {
    out.put_slice(format!("retry: {millis}\n\n").as_bytes());
}

/// A line of data for each line of the payload. CR, LF and both together end a line and nothing
/// else does, U+2028 for example; the reader gets a LF for each.
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
    fn each_line_is_a_line_of_data_however_it_ends() {
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
    fn bytes_travel_as_base64_and_pings_as_comments() {
        let bytes = EncodedFrame::binary(b"\xff\n\n\0");
        assert_eq!(written(|out| frame(out, &bytes)), "event: binary\ndata: /woKAA==\n");
        assert_eq!(written(|out| frame(out, &EncodedFrame::ping())), ":\n\n");
    }

    #[test]
    fn an_id_names_every_feed() {
        let feed = |name: &str| GroupName::new(name).unwrap();
        let positions = [(feed("chat.room.1"), 42), (feed("blog"), 7)];
        assert_eq!(written(|out| id(out, &positions)), "id: chat.room.1:42,blog:7\n");
    }

    #[test]
    fn only_an_end_that_a_browser_must_know_of_is_told() {
        for code in [1000, 1008, 3000, 4001, 4999] {
            let event = format!("event: close\ndata: {{\"code\":{code},\"reason\":\"a\\nb\"}}\n\n");
            assert_eq!(written(|out| close(out, &Close::new(code, "a\nb"))), event);
        }
        for code in [1001, 1002, 1007, 1009, 1011, 1012, 1013] {
            assert_eq!(written(|out| close(out, &Close::new(code, "x"))), "", "{code}");
        }
    }
}
