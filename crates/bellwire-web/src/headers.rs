//! Security headers of every response.

use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;

use crate::SiteState;

/// The default policy: pages load only the site's own files, and no frame may contain them.
const DIRECTIVES: [(&str, &str); 9] = [
    ("default-src", "'self'"),
    ("script-src", "'self'"),
    ("style-src", "'self'"),
    ("img-src", "'self' data:"),
    ("connect-src", "'self'"),
    ("form-action", "'self'"),
    ("base-uri", "'none'"),
    ("frame-ancestors", "'none'"),
    ("object-src", "'none'"),
];

/// Headers with fixed values. The referrer policy is `same-origin`, because `no-referrer` makes
/// browsers send `Origin: null` with the site's own forms.
const HEADERS: [(HeaderName, &str); 3] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "same-origin"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
];

/// The `Content-Security-Policy` of a site.
#[derive(Debug, Clone)]
pub struct ContentSecurityPolicy {
    directives: Vec<(&'static str, String)>,
    header: HeaderValue,
}

impl Default for ContentSecurityPolicy {
    fn default() -> Self {
        let directives =
            DIRECTIVES.map(|(directive, sources)| (directive, sources.to_owned())).to_vec();
        Self { header: header_value(&directives), directives }
    }
}

impl ContentSecurityPolicy {
    /// Adds a source to a directive.
    ///
    /// # Panics
    /// If the directive or the source contains a separator, or is not valid in a header.
    pub fn allow(&mut self, directive: &'static str, source: &'static str) {
        let is_separator = |c: char| c.is_whitespace() || c == ';' || c == ',';
        assert!(
            !source.contains(is_separator) && !directive.contains(is_separator),
            "one directive, one source"
        );
        match self.directives.iter_mut().find(|(known, _)| *known == directive) {
            Some((_, sources)) if sources == "'none'" => source.clone_into(sources),
            Some((_, sources)) => *sources = format!("{sources} {source}"),
            None => self.directives.push((directive, format!("'self' {source}"))),
        }
        self.header = header_value(&self.directives);
    }
}

fn header_value(directives: &[(&str, String)]) -> HeaderValue {
    let directives: Vec<_> =
        directives.iter().map(|(name, sources)| format!("{name} {sources}")).collect();
    HeaderValue::try_from(directives.join("; ")).expect("directives and sources are visible ASCII")
}

/// With TLS, browsers use only TLS for a year. Subdomains are not included, since they may belong
/// to other services.
const STRICT_TRANSPORT_SECURITY: HeaderValue = HeaderValue::from_static("max-age=31536000");

/// Adds the headers that a response does not have already.
pub(crate) async fn add(State(site): State<SiteState>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    if site.public_url().is_https() {
        let header = response.headers_mut().entry(header::STRICT_TRANSPORT_SECURITY);
        header.or_insert(STRICT_TRANSPORT_SECURITY);
    }
    if let Some(policy) = site.get::<ContentSecurityPolicy>() {
        let header = response.headers_mut().entry(header::CONTENT_SECURITY_POLICY);
        header.or_insert_with(|| policy.header.clone());
    }
    for (name, value) in HEADERS {
        response.headers_mut().entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_added_to_its_directive_and_to_no_other() {
        let mut policy = ContentSecurityPolicy::default();
        policy.allow("img-src", "https://images.example");
        policy.allow("media-src", "https://films.example");
        policy.allow("object-src", "https://maps.example");
        let header = policy.header.to_str().unwrap();
        assert!(
            header.contains("; img-src 'self' data: https://images.example; connect-src 'self'; "),
            "{header}"
        );
        assert!(
            header.ends_with(
                "; object-src https://maps.example; media-src 'self' https://films.example"
            ),
            "{header}"
        );
        assert_eq!(header.matches("images.example").count(), 1);
    }

    #[test]
    #[should_panic(expected = "one directive, one source")]
    fn a_source_cannot_add_a_directive() {
        ContentSecurityPolicy::default().allow("img-src", "https://a.example; script-src *");
    }
}
