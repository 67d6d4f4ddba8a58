//! The session cookie.

use axum::http::{HeaderMap, HeaderValue, header};
use bellwire_web::bellwire::header_items;

use super::Sessions;
use super::token::Token;
use crate::SiteError;

/// The cookie's `Max-Age`, in days. An unused session ends earlier than this.
const DAYS: u32 = 400;

/// The maximum number of cookies of one name that are looked up.
const MOST: usize = 4;

impl Sessions {
    /// The name of the session cookie. It is specific to Bellwire because all ports of a host share
    /// their cookies. Browsers enforce the `__Host-` prefix: `Secure`, this host only, `Path=/`.
    fn name(&self) -> &'static str {
        if self.inner.secure { "__Host-bellwire_session" } else { "bellwire_session" }
    }

    /// The name of the cookie from when anonymous sessions had a separate table. It is read until
    /// the last of them has expired, and replaced by the session cookie.
    fn former_name(&self) -> &'static str {
        if self.inner.secure { "__Host-bellwire_visit" } else { "bellwire_visit" }
    }

    /// The `Set-Cookie` value with this token.
    pub(crate) fn cookie(&self, token: &Token) -> Result<HeaderValue, SiteError> {
        self.set(self.name(), &token.text(), DAYS * 24 * 60 * 60)
    }

    /// The `Set-Cookie` value that deletes the session cookie.
    pub(crate) fn no_cookie(&self) -> Result<HeaderValue, SiteError> {
        self.set(self.name(), "", 0)
    }

    /// The `Set-Cookie` value that deletes the former cookie.
    pub(crate) fn no_former_cookie(&self) -> Result<HeaderValue, SiteError> {
        self.set(self.former_name(), "", 0)
    }

    /// A cookie that scripts cannot read and that other sites' forms do not send.
    fn set(&self, name: &str, value: &str, seconds: u32) -> Result<HeaderValue, SiteError> {
        let secure = if self.inner.secure { "; Secure" } else { "" };
        let cookie =
            format!("{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}");
        HeaderValue::try_from(cookie).map_err(SiteError::internal)
    }

    /// The tokens in the session cookies of a request.
    pub(super) fn tokens(&self, headers: &HeaderMap) -> Vec<Token> {
        tokens(headers, self.name())
    }

    /// The tokens in the former cookies of a request.
    pub(super) fn former_tokens(&self, headers: &HeaderMap) -> Vec<Token> {
        tokens(headers, self.former_name())
    }
}

fn tokens(headers: &HeaderMap, name: &str) -> Vec<Token> {
    cookies(headers, name).filter_map(Token::parse).take(MOST).collect()
}

/// The values of all cookies with this name. Another application on this host, or another path, may
/// have set one too.
fn cookies<'a>(headers: &'a HeaderMap, name: &'a str) -> impl Iterator<Item = &'a str> {
    let pairs = header_items(headers, header::COOKIE, b';');
    let values =
        pairs.filter_map(move |pair| pair.strip_prefix(name.as_bytes())?.strip_prefix(b"="));
    values.filter_map(|value| str::from_utf8(value).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_found_among_others() {
        let headers = HeaderMap::from_iter([(
            header::COOKIE,
            "a=1; session=abc; xsession=no; session=def".parse().unwrap(),
        )]);
        assert!(cookies(&headers, "session").eq(["abc", "def"]));
        assert_eq!(cookies(&headers, "sess").next(), None);
        assert_eq!(cookies(&HeaderMap::new(), "session").next(), None);
    }

    #[test]
    fn a_cookie_with_invalid_bytes_does_not_hide_the_others() {
        let line =
            b"lang=fran\xe7ais; session=abc; theme=\xc3\xa9t\xc3\xa9; session=\xff; session=def";
        let headers =
            HeaderMap::from_iter([(header::COOKIE, HeaderValue::from_bytes(line).unwrap())]);
        assert!(cookies(&headers, "session").eq(["abc", "def"]));
        assert!(cookies(&headers, "theme").eq(["été"]));
    }
}
