//! The secret in a session's cookie.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use sha2::{Digest, Sha256};

/// 256 random bits. The browser holds the token; the database holds only its hash, which does not
/// allow signing in.
#[derive(Clone)]
pub(crate) struct Token([u8; 32]);

impl Token {
    /// A new token from the operating system's random number generator.
    ///
    /// # Errors
    /// If the random number generator fails.
    pub(crate) fn random() -> Result<Self, getrandom::Error> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes)?;
        Ok(Self(bytes))
    }

    /// Parses the token in a cookie.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let bytes = BASE64.decode(text).ok()?;
        Some(Self(bytes.try_into().ok()?))
    }

    /// The token as it is written in a cookie.
    pub(crate) fn text(&self) -> String {
        BASE64.encode(self.0)
    }

    /// The hash that the database stores.
    pub(crate) fn hash(&self) -> Vec<u8> {
        Sha256::digest(self.0).to_vec()
    }
}

// `Debug` hides the token, so that it never reaches a log.
impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_round_trips_through_its_cookie_and_differs_from_its_hash() {
        let token = Token::random().unwrap();
        let back = Token::parse(&token.text()).unwrap();
        assert_eq!(token.hash(), back.hash());
        assert_ne!(token.hash(), token.0);
        for bad in ["", "x", "!", &"A".repeat(42), &"A".repeat(44)] {
            assert!(Token::parse(bad).is_none(), "{bad}");
        }
    }
}
