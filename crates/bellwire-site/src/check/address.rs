//! Checks that the public address and the listening address fit together.

use crate::{PublicUrl, Settings};

/// Checks whether browsers can reach the site at its public address.
pub(super) fn check(settings: &Settings) -> Result<String, String> {
    let public = PublicUrl::new(settings.url.as_ref(), settings.bind);
    let (url, bind) = (public.as_str(), settings.bind);
    let (is_loopback, behind_a_proxy) =
        (bind.ip().is_loopback(), !settings.trusted_proxies.is_empty());
    if public.is_https() && !behind_a_proxy {
        return Err(format!(
            "{url} needs a proxy that terminates TLS, but no proxy is trusted: all clients would \
             appear to have one address. Set BELLWIRE_TRUSTED_PROXIES to the proxy's address, such \
             as 127.0.0.1."
        ));
    }
    if !public.is_local() && is_loopback && !behind_a_proxy {
        return Err(format!(
            "{url} is public, but {bind} can only be reached from this machine. Set BELLWIRE_BIND \
             to 0.0.0.0:{}, or set BELLWIRE_TRUSTED_PROXIES to the address of the proxy on this \
             machine.",
            bind.port()
        ));
    }
    if public.is_local() && !is_loopback {
        return Err(format!(
            "{bind} can be reached by other machines, but the site only accepts pages from {url}. \
             Set BELLWIRE_URL to the address people will type."
        ));
    }
    if public.is_local() || public.is_https() {
        Ok(url.to_owned())
    } else {
        Ok(format!("{url} (without TLS: passwords can be read on the network)"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conflicting_addresses_are_reported() {
        let with = |bind: &str, url: &str, proxies: &str| {
            let pairs = [
                ("BELLWIRE_BIND", bind),
                ("BELLWIRE_URL", url),
                ("BELLWIRE_TRUSTED_PROXIES", proxies),
            ];
            check(&Settings::parse(pairs).unwrap())
        };
        for (bind, url, proxies) in [
            ("", "", ""),
            ("127.0.0.1:80", "http://localhost", ""),
            ("127.0.0.1:8000", "https://chat.example", "127.0.0.1"),
            ("0.0.0.0:80", "http://chat.example", ""),
            ("192.0.2.1:80", "", ""),
        ] {
            assert!(with(bind, url, proxies).is_ok(), "{bind} {url} {proxies}");
        }
        for (bind, url, proxies, fix) in [
            ("127.0.0.1:8000", "https://chat.example", "", "BELLWIRE_TRUSTED_PROXIES"),
            ("127.0.0.1:8000", "http://chat.example", "", "BELLWIRE_BIND to 0.0.0.0:8000"),
            ("0.0.0.0:8000", "", "", "BELLWIRE_URL"),
            ("0.0.0.0:8000", "http://localhost:8000", "", "BELLWIRE_URL"),
        ] {
            let wrong = with(bind, url, proxies).expect_err(bind);
            assert!(wrong.contains(fix), "{bind} {url}: {wrong}");
        }
        assert!(with("0.0.0.0:80", "http://chat.example", "").unwrap().contains("without TLS"));
    }
}
