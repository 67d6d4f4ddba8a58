//! List-valued request headers, parsed as bytes.

use http::{HeaderMap, HeaderName, HeaderValue};

/// The items of a list-valued header, over all of its lines: split at `separator` and trimmed.
///
/// Items are bytes, because `HeaderValue::to_str` rejects a whole line for one byte outside ASCII.
/// A cookie of another application would then invalidate the session cookie in the same line. With
/// bytes, only the item that cannot be decoded is lost.
///
/// ```
/// use axum::http::{HeaderMap, HeaderValue, header::COOKIE};
/// let line = HeaderValue::from_bytes(b"lang=fran\xe7ais; session=5").unwrap();
/// let headers = HeaderMap::from_iter([(COOKIE, line)]);
/// assert!(bellwire::header_items(&headers, COOKIE, b';').any(|item| item == b"session=5"));
/// ```
pub fn header_items(
    headers: &HeaderMap,
    name: HeaderName,
    separator: u8,
) -> impl Iterator<Item = &[u8]> {
    let lines: Vec<_> = headers.get_all(name).iter().map(HeaderValue::as_bytes).collect();
    let items = lines.into_iter().flat_map(move |line| line.split(move |byte| *byte == separator));
    items.map(<[u8]>::trim_ascii)
}

/// Returns whether an item such as `text/html;q=0.9` names this media type.
pub(crate) fn is_media_type(item: &[u8], name: &str) -> bool {
    let range = item.split(|byte| *byte == b';').next().unwrap_or_default();
    range.trim_ascii().eq_ignore_ascii_case(name.as_bytes())
}

/// Returns whether a request with these headers accepts a media type by name. Wildcards such as
/// `*/*` do not count.
pub fn accepts(headers: &HeaderMap, media_type: &str) -> bool {
    header_items(headers, http::header::ACCEPT, b',').any(|item| is_media_type(item, media_type))
}

#[cfg(test)]
mod tests {
    use http::header::{ACCEPT, COOKIE};

    use super::*;

    fn headers(name: HeaderName, lines: &[&[u8]]) -> HeaderMap {
        lines.iter().map(|line| (name.clone(), HeaderValue::from_bytes(line).unwrap())).collect()
    }

    #[test]
    fn a_non_ascii_byte_does_not_affect_other_items() {
        let headers = headers(COOKIE, &[b"a=1; lang=fran\xe7ais;b=2", "c=\u{e9}; d=4".as_bytes()]);
        let items: Vec<_> = header_items(&headers, COOKIE, b';').collect();
        assert_eq!(
            items,
            [&b"a=1"[..], b"lang=fran\xe7ais", b"b=2", "c=\u{e9}".as_bytes(), b"d=4"]
        );
    }

    #[test]
    fn a_media_type_is_accepted_by_name_whatever_else_the_header_contains() {
        for line in [&b"text/html"[..], b"x/\xff, Text/HTML ;q=0.5", b"\xe9,text/html;level=\xe9"] {
            assert!(accepts(&headers(ACCEPT, &[line]), "text/html"), "{line:?}");
            assert!(accepts(&headers(ACCEPT, &[b"*/*", line]), "text/html"), "{line:?}");
        }
        for line in [&b"*/*"[..], b"text/htmlx", b"xtext/html", b"application/json"] {
            assert!(!accepts(&headers(ACCEPT, &[line]), "text/html"), "{line:?}");
        }
    }
}
