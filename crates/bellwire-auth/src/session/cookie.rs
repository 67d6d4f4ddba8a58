//! The session cookie.

use axum::http::{HeaderMap, HeaderValue, header};
use bellwire_web::bellwire::header_items;

use super::Sessions;
use super::token::Token;
use crate::SiteError;

/// The longest a browser may keep a cookie, in days; the session itself ends earlier, when it is
/// not used.
const DAYS: u32 = 400;

/// How many cookies of one name are looked up at most.
const MOST: usize = 4;

impl Sessions {
    /// The name of the cookie: its own, because cookies are shared by all ports of a host. Browsers
    /// keep to what `__Host-` promises: `Secure`, this host alone, every path.
    fn name(&self) -> &'static str {
        if self.inner.secure { "__Host-bellwire_session" } else { "bellwire_session" }
    }

    /// The cookie that anonymous sessions had when they had a table of their own. Looked up until
    /// the last of those has expired, and replaced by the other one.
    fn former_name(&self) -> &'static str {
        if self.inner.secure { "__Host-bellwire_visit" } else { "bellwire_visit" }
    }

    /// The cookie that holds this token.
    pub(crate) fn cookie(&self, token: &Token) -> Result<HeaderValue, SiteError> {
        self.set(self.name(), &token.text(), DAYS * 24 * 60 * 60)
    }

    /// The cookie that makes a browser forget its session.
    pub(crate) fn no_cookie(&self) -> Result<HeaderValue, SiteError> {
        self.set(self.name(), "", 0)
    }

    /// The same for the former cookie.
    pub(crate) fn no_former_cookie(&self) -> Result<HeaderValue, SiteError> {
        self.set(self.former_name(), "", 0)
    }

    /// A cookie that no script reads and no other site's form sends.
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

    /// The tokens in its former cookies.
    pub(super) fn former_tokens(&self, headers: &HeaderMap) -> Vec<Token> {
        tokens(headers, self.former_name())
    }
}

fn tokens(headers: &HeaderMap, name: &str) -> Vec<Token> {
    cookies(headers, name).filter_map(Token::parse).take(MOST).collect()
}

/// The values of all cookies of that name: somebody else on this host, or a former path, may have
/// set one as well.
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
    fn an_odd_cookie_is_the_only_one_that_is_lost() {
        let line =
            b"lang=fran\xe7ais; session=abc; theme=\xc3\xa9t\xc3\xa9; session=\xff; session=def";
        let headers =
            HeaderMap::from_iter([(header::COOKIE, HeaderValue::from_bytes(line).unwrap())]);
        assert!(cookies(&headers, "session").eq(["abc", "def"]));
        assert!(cookies(&headers, "theme").eq(["été"]));
    }
}
