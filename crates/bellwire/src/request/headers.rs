//! Lists in the headers of a request, read as bytes.

use http::{HeaderMap, HeaderName, HeaderValue};

/// The items of a list in a header, over all of its lines: split at `separator`, without the spaces
/// around them.
///
/// They are bytes, since `HeaderValue::to_str` refuses a whole line for one byte beyond ASCII: a
/// cookie of another application would cost a person the session in the same line. An item that
/// cannot be read is the only one lost.
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

/// Whether an item such as `text/html;q=0.9` names this media type.
pub(crate) fn is_media_type(item: &[u8], name: &str) -> bool {
    let range = item.split(|byte| *byte == b';').next().unwrap_or_default();
    range.trim_ascii().eq_ignore_ascii_case(name.as_bytes())
}

/// Whether a request with these headers accepts a media type by its name.
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
    fn a_byte_beyond_ascii_costs_its_own_item_and_no_other() {
        let headers = headers(COOKIE, &[b"a=1; lang=fran\xe7ais;b=2", "c=\u{e9}; d=4".as_bytes()]);
        let items: Vec<_> = header_items(&headers, COOKIE, b';').collect();
        assert_eq!(
            items,
            [&b"a=1"[..], b"lang=fran\xe7ais", b"b=2", "c=\u{e9}".as_bytes(), b"d=4"]
        );
    }

    #[test]
    fn a_media_type_is_accepted_by_its_name_whatever_stands_beside_it() {
        for line in [&b"text/html"[..], b"x/\xff, Text/HTML ;q=0.5", b"\xe9,text/html;level=\xe9"] {
            assert!(accepts(&headers(ACCEPT, &[line]), "text/html"), "{line:?}");
            assert!(accepts(&headers(ACCEPT, &[b"*/*", line]), "text/html"), "{line:?}");
        }
        for line in [&b"*/*"[..], b"text/htmlx", b"xtext/html", b"application/json"] {
            assert!(!accepts(&headers(ACCEPT, &[line]), "text/html"), "{line:?}");
        }
    }
}
