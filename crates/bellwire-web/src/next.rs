//! Redirect targets after signing in, restricted to paths of the same site.

use url::Url;

/// The maximum length of a target, in bytes.
const MAX_LENGTH: usize = 2048;

/// Returns the path, query and fragment of `next`, safe to redirect to. Returns `None` if it leads
/// to another site, or if a browser might interpret it so.
pub fn within_site(next: &str) -> Option<String> {
    let mut letters = next.chars();
    let rooted = letters.next() == Some('/') && !matches!(letters.next(), Some('/' | '\\'));
    let has_unsafe = next.chars().any(|c| c.is_control() || c == '\\');
    if !rooted || has_unsafe || next.len() > MAX_LENGTH {
        return None;
    }
    let here = Url::parse("http://here.invalid/").ok()?;
    let there = here.join(next).ok().filter(|there| there.origin() == here.origin())?;
    let local = &there[url::Position::BeforePath..];
    // Parsing has removed the dot of `/.//evil.example`.
    (!local.starts_with("//")).then(|| local.to_owned())
}

/// Adds `next` to a path of this site as a query parameter, if it is a safe target.
pub fn with(address: &str, next: &str) -> String {
    match within_site(next).filter(|next| next != "/") {
        None => address.to_owned(),
        Some(next) => {
            let query = url::form_urlencoded::Serializer::new(String::new())
                .append_pair("next", &next)
                .finish();
            format!("{address}?{query}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_this_site_are_kept() {
        for (next, kept) in [
            ("/", "/"),
            ("/chat/hi/?page=2#end", "/chat/hi/?page=2#end"),
            ("/chat/ünï/", "/chat/%C3%BCn%C3%AF/"),
            ("/a/../b", "/b"),
            ("/next?to=https://evil.example", "/next?to=https://evil.example"),
        ] {
            assert_eq!(within_site(next).as_deref(), Some(kept), "{next}");
        }
    }

    #[test]
    fn a_target_that_is_too_long_is_ignored() {
        let address = |length: usize| format!("/{}", "x".repeat(length - 1));
        assert_eq!(within_site(&address(MAX_LENGTH)), Some(address(MAX_LENGTH)));
        assert_eq!(within_site(&address(MAX_LENGTH + 1)), None);
        assert_eq!(with("/accounts/login/", &address(MAX_LENGTH + 1)), "/accounts/login/");
    }

    #[test]
    fn targets_outside_the_site_are_refused() {
        for evil in [
            "",
            "chat/",
            "https://evil.example/",
            "//evil.example",
            "///evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "/\t/evil.example",
            "/\n/evil.example",
            " //evil.example",
            "/.//evil.example",
            "/..//evil.example",
            "/%2e//evil.example",
            "/chat\\..\\",
            "javascript:alert(1)",
            "data:text/html,x",
            "/\u{85}/evil.example",
        ] {
            assert_eq!(within_site(evil), None, "{evil:?}");
        }
    }
}
