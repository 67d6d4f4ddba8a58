//! Static files under `/static/<build>/…`.
//!
//! They are embedded in the program, compressed once, when somebody asks first, and never change
//! under their address: `<build>` is a hash over all of them. In development they are read from
//! folders instead, at each request.

use std::collections::HashMap;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use rust_embed::RustEmbed;
use sha2::{Digest, Sha256};

use crate::SiteError;

mod encoding;

use encoding::Encoded;

/// The site's own files.
#[derive(RustEmbed)]
#[folder = "$CARGO_MANIFEST_DIR/static"]
struct Own;

/// A year: the files under an address stay the same as long as there is a web.
const FOR_EVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");

/// A folder that was embedded in the program.
#[derive(Debug, Clone, Copy)]
pub struct Embedded {
    files: fn() -> Vec<(String, Bytes)>,
}

impl Embedded {
    /// The files of a `#[derive(RustEmbed)]` type.
    pub fn of<E: RustEmbed>() -> Self {
        Self {
            files: || {
                E::iter()
                    .filter_map(|path| Some((path.to_string(), bytes_of::<E>(&path)?)))
                    .collect()
            },
        }
    }
}

fn bytes_of<E: RustEmbed>(path: &str) -> Option<Bytes> {
    Some(match E::get(path)?.data {
        std::borrow::Cow::Borrowed(data) => Bytes::from_static(data),
        std::borrow::Cow::Owned(data) => Bytes::from(data),
    })
}

/// All static files of a site.
#[derive(Debug, Clone)]
pub struct Assets {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    base: String,
    files: HashMap<String, Asset>,
    /// Where to look first, and at each request.
    folders: Vec<PathBuf>,
}

#[derive(Debug)]
struct Asset {
    content_type: HeaderValue,
    etag: HeaderValue,
    bytes: Encoded,
}

impl Assets {
    /// The framework's files, the site's own, and those of its apps, each under the app's name.
    pub fn new(
        apps: impl IntoIterator<Item = (&'static str, Embedded)>,
        folders: Vec<PathBuf>,
    ) -> Self {
        let mut files = (Embedded::of::<Own>().files)();
        let of_the_framework = bellwire::assets::files();
        files.extend(
            of_the_framework.map(|(path, bytes)| (path.to_owned(), Bytes::from_static(bytes))),
        );
        for (app, source) in apps {
            files.extend(
                (source.files)().into_iter().map(|(path, bytes)| (format!("{app}/{path}"), bytes)),
            );
        }
        files.sort();
        let base = format!("/static/{}", build(&files));
        let files = files
            .into_iter()
            .map(|(path, bytes)| (path.clone(), Asset::new(&path, bytes)))
            .collect();
        Self { inner: Arc::new(Inner { base, files, folders }) }
    }

    /// What every address of a static file begins with: `/static/<build>`.
    pub(crate) fn base(&self) -> &str {
        &self.inner.base
    }

    /// Answers a request for `path` of the build `build`.
    pub(crate) fn get(&self, build: &str, path: &str, headers: &HeaderMap) -> Response {
        if self.base().strip_prefix("/static/") != Some(build) {
            return SiteError::NotFound.into_response();
        }
        if let Some(bytes) = self.read_anew(path) {
            let fresh =
                [(header::CONTENT_TYPE, &*content_type(path)), (header::CACHE_CONTROL, "no-store")];
            return (fresh, bytes).into_response();
        }
        match self.inner.files.get(path) {
            Some(asset) => asset.response(headers),
            None => SiteError::NotFound.into_response(),
        }
    }

    fn read_anew(&self, path: &str) -> Option<Vec<u8>> {
        let path = Path::new(path);
        let inside = path.components().all(|part| matches!(part, Component::Normal(_)));
        let read = |folder: &PathBuf| std::fs::read(folder.join(path)).ok();
        if inside { self.inner.folders.iter().find_map(read) } else { None }
    }
}

impl Asset {
    fn new(path: &str, bytes: Bytes) -> Self {
        let etag = format!("\"{}\"", short_hash(&Sha256::digest(&bytes)));
        let etag = HeaderValue::try_from(etag)
            .unwrap_or_else(|_| unreachable!("hex digits make a header"));
        let content_type = content_type(path);
        let bytes =
            if is_text(&content_type) { Encoded::new(bytes) } else { Encoded::plain(bytes) };
        let content_type =
            HeaderValue::try_from(content_type).unwrap_or_else(|_| unreachable!("visible ASCII"));
        Self { content_type, etag, bytes }
    }

    fn response(&self, request: &HeaderMap) -> Response {
        let mut headers = HeaderMap::new();
        headers.insert(header::CACHE_CONTROL, FOR_EVER);
        headers.insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
        headers.insert(header::ETAG, self.etag.clone());
        if request.get(header::IF_NONE_MATCH).is_some_and(|known| *known == self.etag) {
            return (StatusCode::NOT_MODIFIED, headers).into_response();
        }
        let (encoding, bytes) = self.bytes.best(request);
        headers.insert(header::CONTENT_TYPE, self.content_type.clone());
        if let Some(encoding) = encoding {
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
        }
        (headers, bytes).into_response()
    }
}

/// A name for exactly these files.
fn build(files: &[(String, Bytes)]) -> String {
    let mut hash = Sha256::new();
    for (path, bytes) in files {
        hash.update(path.as_bytes());
        hash.update([0]);
        hash.update(Sha256::digest(bytes));
    }
    short_hash(&hash.finalize())
}

fn short_hash(hash: &[u8]) -> String {
    hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

fn content_type(path: &str) -> String {
    let kind = mime_guess::from_path(path).first_or_octet_stream();
    match kind.type_() {
        mime_guess::mime::TEXT => format!("{kind}; charset=utf-8"),
        _ => kind.to_string(),
    }
}

/// Whether compressing makes it smaller: the others are compressed as they are.
fn is_text(content_type: &str) -> bool {
    content_type.starts_with("text/")
        || matches!(content_type, "application/json" | "image/svg+xml")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_build_changes_with_a_name_and_with_a_byte() {
        let files = |name: &str, text: &'static str| {
            build(&[(name.to_owned(), Bytes::from_static(text.as_bytes()))])
        };
        let one = files("a.css", "a{}");
        assert_eq!(one, files("a.css", "a{}"));
        assert_ne!(one, files("b.css", "a{}"));
        assert_ne!(one, files("a.css", "b{}"));
    }
}
