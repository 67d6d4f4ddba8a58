//! Static files under `/static/<build>/…`.
//!
//! They are embedded in the program, compressed once on the first request, and immutable: `<build>`
//! is a hash of all files. In development they are read from folders at each request instead.

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

/// The files of this crate.
#[derive(RustEmbed)]
#[folder = "$CARGO_MANIFEST_DIR/static"]
struct OwnFiles;

/// A year, since the file at an address never changes.
const IMMUTABLE: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");

/// A folder that is embedded in the program.
#[derive(Debug, Clone, Copy)]
pub struct Embedded {
    files: fn() -> Vec<(String, Bytes)>,
}

impl Embedded {
    /// Returns the files of a `#[derive(RustEmbed)]` type.
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
    /// The folders that are searched first, at each request.
    folders: Vec<PathBuf>,
}

#[derive(Debug)]
struct Asset {
    content_type: HeaderValue,
    etag: HeaderValue,
    bytes: Encoded,
}

impl Assets {
    /// Collects the files of the framework, of this crate, and of apps, each under the app's name.
    pub fn new(
        apps: impl IntoIterator<Item = (&'static str, Embedded)>,
        folders: Vec<PathBuf>,
    ) -> Self {
        let mut files = (Embedded::of::<OwnFiles>().files)();
        let framework_files = bellwire::assets::files();
        files.extend(
            framework_files.map(|(path, bytes)| (path.to_owned(), Bytes::from_static(bytes))),
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

    /// The path prefix of static files: `/static/<build>`.
    pub(crate) fn base(&self) -> &str {
        &self.inner.base
    }

    /// Answers a request for `path` of the build `build`.
    pub(crate) fn get(&self, build: &str, path: &str, headers: &HeaderMap) -> Response {
        if self.base().strip_prefix("/static/") != Some(build) {
            return SiteError::NotFound.into_response();
        }
        if let Some(bytes) = self.read_from_folders(path) {
            let headers =
                [(header::CONTENT_TYPE, &*content_type(path)), (header::CACHE_CONTROL, "no-store")];
            return (headers, bytes).into_response();
        }
        match self.inner.files.get(path) {
            Some(asset) => asset.response(headers),
            None => SiteError::NotFound.into_response(),
        }
    }

    fn read_from_folders(&self, path: &str) -> Option<Vec<u8>> {
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
        headers.insert(header::CACHE_CONTROL, IMMUTABLE);
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

/// Returns a hash of all paths and contents.
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

/// Whether the files of this type are worth compressing: the others are compressed formats.
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
