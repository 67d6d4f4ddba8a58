//! Where to go after signing in: only ever within this site.

use url::Url;

/// The longest address to come back to.
const LONGEST: usize = 2048;

/// The part of an address after the host, safe to redirect to; nothing when it leads, or might be
/// read to lead, elsewhere.
pub fn within_site(next: &str) -> Option<String> {
    let mut letters = next.chars();
    let rooted = letters.next() == Some('/') && !matches!(letters.next(), Some('/' | '\\'));
    let odd = next.chars().any(|c| c.is_control() || c == '\\');
    if !rooted || odd || next.len() > LONGEST {
        return None;
    }
    let here = Url::parse("http://here.invalid/").ok()?;
    let there = here.join(next).ok().filter(|there| there.origin() == here.origin())?;
    let local = &there[url::Position::BeforePath..];
    // `/.//evil.example` has lost its dot by now.
    (!local.starts_with("//")).then(|| local.to_owned())
}

/// An address of ours that leads on to `next` afterwards, where that is within this site.
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
    fn an_address_that_is_too_long_is_none_and_leads_to_the_first_page() {
        let address = |length: usize| format!("/{}", "x".repeat(length - 1));
        assert_eq!(within_site(&address(LONGEST)), Some(address(LONGEST)));
        assert_eq!(within_site(&address(LONGEST + 1)), None);
        assert_eq!(with("/accounts/login/", &address(LONGEST + 1)), "/accounts/login/");
    }

    #[test]
    fn every_way_out_is_refused() {
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
