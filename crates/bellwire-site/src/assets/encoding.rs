//! Files compressed ahead, in the encodings browsers ask for.

use std::io::Write;

use axum::http::{HeaderMap, header};
use bytes::Bytes;

/// The slowest qualities that do not hold up the start.
const BROTLI_QUALITY: u32 = 9;
const GZIP_QUALITY: flate2::Compression = flate2::Compression::new(9);

/// The window of a brotli stream that every browser can read.
const BROTLI_WINDOW: u32 = 22;

/// A file, as it is and compressed where that makes it smaller.
#[derive(Debug)]
pub(super) struct Encoded {
    plain: Bytes,
    brotli: Option<Bytes>,
    gzip: Option<Bytes>,
}

impl Encoded {
    pub(super) fn new(plain: Bytes) -> Self {
        let smaller = |bytes: Vec<u8>| (bytes.len() < plain.len()).then(|| Bytes::from(bytes));
        let brotli = brotli(&plain).ok().and_then(smaller);
        let gzip = gzip(&plain).ok().and_then(smaller);
        Self { plain, brotli, gzip }
    }

    /// The smallest form this request accepts, and its encoding's name.
    pub(super) fn best(&self, request: &HeaderMap) -> (Option<&'static str>, Bytes) {
        let accepted = |encoding, bytes: &Option<Bytes>| {
            bytes.clone().filter(|_| accepts(request, encoding)).map(|bytes| (Some(encoding), bytes))
        };
        accepted("br", &self.brotli)
            .or_else(|| accepted("gzip", &self.gzip))
            .unwrap_or_else(|| (None, self.plain.clone()))
    }
}

fn accepts(request: &HeaderMap, encoding: &str) -> bool {
    let lists = request.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    lists.flat_map(|list| list.split(',')).any(|item| {
        let (name, weight) = item.split_once(';').unwrap_or((item, "q=1"));
        let refused = matches!(weight.trim(), "q=0" | "q=0.0" | "q=0.00" | "q=0.000");
        name.trim().eq_ignore_ascii_case(encoding) && !refused
    })
}

fn brotli(bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut out = Vec::new();
    let mut writer = brotli::CompressorWriter::new(&mut out, 4096, BROTLI_QUALITY, BROTLI_WINDOW);
    writer.write_all(bytes)?;
    drop(writer);
    Ok(out)
}

fn gzip(bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut writer = flate2::write::GzEncoder::new(Vec::new(), GZIP_QUALITY);
    writer.write_all(bytes)?;
    writer.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asks(accept: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(header::ACCEPT_ENCODING, accept.parse().unwrap())])
    }

    #[test]
    fn a_browser_gets_the_smallest_form_it_can_read() {
        let file = Encoded::new(Bytes::from("words ".repeat(500)));
        assert_eq!(file.best(&asks("gzip, deflate, br, zstd")).0, Some("br"));
        assert_eq!(file.best(&asks("gzip;q=0.5")).0, Some("gzip"));
        assert_eq!(file.best(&asks("br;q=0, gzip;q=0")).0, None);
        assert_eq!(file.best(&HeaderMap::new()).0, None);
    }

    #[test]
    fn what_does_not_get_smaller_stays_as_it_is() {
        assert_eq!(Encoded::new(Bytes::from_static(b"x")).best(&asks("br, gzip")).0, None);
    }
}
