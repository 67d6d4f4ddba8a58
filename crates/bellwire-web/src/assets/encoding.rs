//! Content encodings of static files, each compressed on the first request for it.

use std::io::Write;
use std::sync::OnceLock;

use axum::http::{HeaderMap, header};
use bellwire::header_items;
use bytes::Bytes;

/// The highest qualities whose delay the first request does not notice.
const BROTLI_QUALITY: u32 = 9;
const GZIP_QUALITY: flate2::Compression = flate2::Compression::new(9);

/// The window size of brotli streams that all browsers support.
const BROTLI_WINDOW: u32 = 22;

/// A file, uncompressed and, if that is smaller, compressed.
#[derive(Debug)]
pub(super) struct Encoded {
    plain: Bytes,
    brotli: OnceLock<Option<Bytes>>,
    gzip: OnceLock<Option<Bytes>>,
}

impl Encoded {
    pub(super) fn new(plain: Bytes) -> Self {
        Self { plain, brotli: OnceLock::new(), gzip: OnceLock::new() }
    }

    /// Creates a file that is already compressed, such as a picture.
    pub(super) fn plain(plain: Bytes) -> Self {
        Self { plain, brotli: None.into(), gzip: None.into() }
    }

    /// Returns the smallest encoding that the request accepts, and its name.
    pub(super) fn best(&self, request: &HeaderMap) -> (Option<&'static str>, Bytes) {
        self.encoded(request, "br", &self.brotli, brotli)
            .or_else(|| self.encoded(request, "gzip", &self.gzip, gzip))
            .unwrap_or_else(|| (None, self.plain.clone()))
    }

    fn encoded(
        &self,
        request: &HeaderMap,
        encoding: &'static str,
        cached: &OnceLock<Option<Bytes>>,
        compress: fn(&[u8]) -> std::io::Result<Vec<u8>>,
    ) -> Option<(Option<&'static str>, Bytes)> {
        if !accepts(request, encoding) {
            return None;
        }
        let smaller = |bytes: &Vec<u8>| bytes.len() < self.plain.len();
        let cached =
            cached.get_or_init(|| compress(&self.plain).ok().filter(smaller).map(Bytes::from));
        cached.clone().map(|bytes| (Some(encoding), bytes))
    }
}

fn accepts(request: &HeaderMap, encoding: &str) -> bool {
    header_items(request, header::ACCEPT_ENCODING, b',').any(|item| {
        let mut parts = item.splitn(2, |byte| *byte == b';').map(<[u8]>::trim_ascii);
        let is_named =
            parts.next().is_some_and(|name| name.eq_ignore_ascii_case(encoding.as_bytes()));
        let is_refused = matches!(parts.next(), Some(b"q=0" | b"q=0.0" | b"q=0.00" | b"q=0.000"));
        is_named && !is_refused
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
    use axum::http::HeaderValue;

    use super::*;

    fn accepting(accept: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(header::ACCEPT_ENCODING, accept.parse().unwrap())])
    }

    #[test]
    fn a_browser_gets_the_smallest_encoding_it_accepts() {
        let file = Encoded::new(Bytes::from("words ".repeat(500)));
        assert_eq!(file.best(&accepting("gzip, deflate, br, zstd")).0, Some("br"));
        assert_eq!(file.best(&accepting("gzip;q=0.5")).0, Some("gzip"));
        assert_eq!(file.best(&accepting("br;q=0, gzip;q=0")).0, None);
        assert_eq!(file.best(&HeaderMap::new()).0, None);
        assert_eq!(file.best(&accepting("br")), file.best(&accepting("br")), "the same each time");
        let odd = HeaderValue::from_bytes(b"\xe9, br").unwrap();
        let odd = HeaderMap::from_iter([(header::ACCEPT_ENCODING, odd)]);
        assert_eq!(file.best(&odd).0, Some("br"), "only the invalid item is ignored");
    }

    #[test]
    fn a_file_that_does_not_get_smaller_stays_uncompressed() {
        assert_eq!(Encoded::new(Bytes::from_static(b"x")).best(&accepting("br, gzip")).0, None);
        let picture = Encoded::plain(Bytes::from("pixels ".repeat(500)));
        assert_eq!(picture.best(&accepting("br, gzip")).0, None);
    }
}
