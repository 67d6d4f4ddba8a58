//! The browser client, `bellwire.js`: its file, the routes that serve it, and its place in a page.

use std::fmt;
use std::path::{Component, Path, PathBuf};
use std::sync::LazyLock;

use axum::Router;
use axum::extract::Path as UrlPath;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderName, HeaderValue, StatusCode};

use crate::html::escape;
use crate::{Bellwire, Html};

/// The name of the script in [`files`].
const SCRIPT: &str = "bellwire.js";
/// The settings of htmx that its pages need: without its own style element, which a strict content
/// security policy forbids, and without a pause before new content settles.
const HTMX: &str =
    r#"{"includeIndicatorCSS":false,"defaultSettleDelay":0,"extensions":"bellwire"}"#;
/// A year, since the file at an address never changes.
const IMMUTABLE: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");

/// The part of the address that changes with the content.
static BUILD: LazyLock<String> = LazyLock::new(|| {
    let mut hash = sha1_smol::Sha1::new();
    files().for_each(|(_, bytes)| hash.update(bytes));
    hash.digest().to_string()[..12].to_owned()
});

macro_rules! embedded {
    ($($name:literal: $path:literal),* $(,)?) => {
        &[$(($name, include_bytes!(concat!("../assets/", $path)))),*]
    };
}

const FILES: &[(&str, &[u8])] = embedded![
    "bellwire.js": "dist/bellwire.js",
    "licenses/htmx.txt": "licenses/htmx.txt",
];

/// The files, as (path, bytes), for an app that serves static files itself. `bellwire.js` contains
/// htmx.
///
/// ```
/// let paths: Vec<_> = bellwire::assets::files().map(|(path, _)| path).collect();
/// assert!(paths.contains(&"bellwire.js"));
/// ```
pub fn files() -> impl Iterator<Item = (&'static str, &'static [u8])> {
    FILES.iter().copied()
}

impl Bellwire {
    /// The routes that serve `bellwire.js`, below `/bellwire/`. Merge them into the app's router.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let bellwire = bellwire::Bellwire::builder("http://127.0.0.1:8000").build()?;
    /// let app: axum::Router = axum::Router::new().merge(bellwire.assets());
    /// # let _ = app; Ok(()) }
    /// ```
    pub fn assets<S: Clone + Send + Sync + 'static>(&self) -> Router<S> {
        let folder = self.asset_folder().map(Path::to_owned);
        let file = async move |UrlPath((build, path)): UrlPath<(String, String)>| match &folder {
            Some(folder) => from_folder(folder, &path).await,
            None if build == *BUILD => embedded(&path),
            None => StatusCode::NOT_FOUND.into_response(),
        };
        Router::new().route("/bellwire/{build}/{*path}", get(file))
    }

    /// The elements for the `<head>` of a page: `bellwire.js`, the settings of htmx, and the person
    /// for whom the page is.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let bellwire = bellwire::Bellwire::builder("http://127.0.0.1:8000").build()?;
    /// let head = bellwire.head().person("user.5").to_string();
    /// assert!(head.contains(r#"<meta name="bellwire-person" content="user.5">"#));
    /// # Ok(()) }
    /// ```
    pub fn head(&self) -> Head {
        let build = if self.asset_folder().is_some() { "modules" } else { &BUILD };
        Head { script: format!("/bellwire/{build}/{SCRIPT}"), person: None }
    }
}

fn embedded(path: &str) -> Response {
    let Some((_, bytes)) = FILES.iter().find(|(name, _)| *name == path) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    ([(CONTENT_TYPE, content_type(path)), (CACHE_CONTROL, IMMUTABLE)], *bytes).into_response()
}

/// Reads a module from the folder, for development.
async fn from_folder(folder: &Path, path: &str) -> Response {
    let inside = Path::new(path).components().all(|part| matches!(part, Component::Normal(_)));
    let file: PathBuf = folder.join(path);
    match tokio::task::spawn_blocking(move || std::fs::read(file)).await {
        Ok(Ok(bytes)) if inside => {
            let headers: [(HeaderName, HeaderValue); 2] = [
                (CONTENT_TYPE, content_type(path)),
                (CACHE_CONTROL, HeaderValue::from_static("no-store")),
            ];
            (headers, bytes).into_response()
        }
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}

fn content_type(path: &str) -> HeaderValue {
    HeaderValue::from_static(match path.ends_with(".js") {
        true => "text/javascript; charset=utf-8",
        false => "text/plain; charset=utf-8",
    })
}

/// The elements for the `<head>` of a page; see [`Bellwire::head`]. Show it without escaping it
/// again.
#[derive(Debug, Clone)]
pub struct Head {
    script: String,
    person: Option<String>,
}

impl Head {
    /// Says for whom the page is: the key that [`Live::person`](crate::Live::person) has for its
    /// connections, or one of a visitor without an account
    /// ([`Identity::with_visitor`](crate::Identity::with_visitor)).
    ///
    /// What somebody types into the page then waits in their browser until the server has answered,
    /// and is never sent by another person. Without it, what waits is kept for this tab alone, and
    /// dropped at the next sign-in.
    #[must_use]
    pub fn person(mut self, key: impl Into<String>) -> Self {
        self.person = Some(key.into());
        self
    }

    /// Sets the address of the script, for an app that serves [`files`] itself.
    #[must_use]
    pub fn script(mut self, url: impl Into<String>) -> Self {
        self.script = url.into();
        self
    }

    /// The elements as HTML.
    pub fn html(&self) -> Html {
        Html::trusted(self.to_string())
    }
}

impl fmt::Display for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut escaped = String::new();
        if let Some(person) = &self.person {
            escape(&mut escaped, person);
            write!(f, "<meta name=\"bellwire-person\" content=\"{escaped}\">")?;
        }
        let mut script = String::new();
        escape(&mut script, &self.script);
        write!(f, "<meta name=\"htmx-config\" content='{HTMX}'>")?;
        write!(f, "<script type=\"module\" src=\"{script}\"></script>")
    }
}

#[cfg(test)]
mod tests {
    use axum::body::{Body, to_bytes};
    use http::Request;
    use tower::ServiceExt;

    use super::*;

    fn bellwire() -> crate::Builder {
        Bellwire::builder("http://127.0.0.1:8000")
    }

    async fn load(bellwire: &Bellwire, path: &str) -> (u16, String, usize) {
        let request = Request::get(path).body(Body::empty()).unwrap();
        let response = bellwire.assets::<()>().oneshot(request).await.unwrap();
        let cache = response.headers().get(CACHE_CONTROL);
        let cache = cache.map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default();
        let status = response.status().as_u16();
        (status, cache, to_bytes(response.into_body(), usize::MAX).await.unwrap().len())
    }

    #[tokio::test]
    async fn the_script_that_a_head_names_is_served_and_cached() {
        let bellwire = bellwire().build().unwrap();
        let head = bellwire.head().to_string();
        let src = head.split("src=\"").nth(1).unwrap().split('"').next().unwrap();
        let (status, cache, length) = load(&bellwire, src).await;
        assert_eq!((status, length), (200, FILES[0].1.len()));
        assert!(cache.contains("immutable"), "{cache}");
        assert_eq!(load(&bellwire, "/bellwire/other-build/bellwire.js").await.0, 404);
        let unknown = src.replace("bellwire.js", "unknown.js");
        assert_eq!(load(&bellwire, &unknown).await.0, 404);
    }

    #[tokio::test]
    async fn in_development_the_modules_are_read_from_a_folder_and_nothing_outside_of_it() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/src");
        let bellwire = bellwire().assets_from(folder).build().unwrap();
        let (status, cache, length) = load(&bellwire, "/bellwire/modules/bellwire.js").await;
        assert_eq!((status, cache.as_str()), (200, "no-store"));
        assert!(length > 0);
        for outside in ["../package.json", "..%2Fpackage.json", "%2Fetc%2Fpasswd"] {
            assert_eq!(load(&bellwire, &format!("/bellwire/modules/{outside}")).await.0, 404);
        }
    }

    #[test]
    fn the_key_of_a_person_is_escaped() {
        let head = bellwire().build().unwrap().head().person("\"><script>").to_string();
        assert!(head.contains("content=\"&quot;&gt;&lt;script&gt;\""), "{head}");
        assert!(!bellwire().build().unwrap().head().to_string().contains("bellwire-person"));
    }
}
