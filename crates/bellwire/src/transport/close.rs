//! Close codes and reasons.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// The maximum length of the reason in a close frame, in bytes (RFC 6455 §5.5: 125 less the code).
const REASON_BYTES: usize = 123;

/// A close code with its reason, sent or received.
///
/// The client decides which codes are final: bellwire.js reconnects after every code but
/// [`NORMAL`](Close::NORMAL) and [`POLICY`](Close::POLICY), unmodified htmx 2 only after 1006,
/// 1011, 1012 and 1013, unmodified htmx 4 also after 1001, 1005 and 1014.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Close {
    code: u16,
    reason: Cow<'static, str>,
}

impl Close {
    /// 1000: a normal closure; the page does not reconnect by itself.
    pub const NORMAL: u16 = 1000;
    /// 1001: the peer is going away.
    pub const AWAY: u16 = 1001;
    /// 1002: the peer violated the protocol.
    pub const PROTOCOL: u16 = 1002;
    /// 1005: the peer closed without a code. Never sent.
    pub const NO_CODE: u16 = 1005;
    /// 1006: the connection broke without a close frame. Never sent.
    pub const LOST: u16 = 1006;
    /// 1007: text that is not UTF-8.
    pub const NOT_UTF8: u16 = 1007;
    /// 1008: not allowed, or no longer allowed. Final.
    pub const POLICY: u16 = 1008;
    /// 1009: a message that is too big.
    pub const TOO_BIG: u16 = 1009;
    /// 1011: an error of the server.
    pub const ERROR: u16 = 1011;
    /// 1012: the server restarts.
    pub const RESTART: u16 = 1012;
    /// 1013: try again later; for example, after the reader was too slow.
    pub const TRY_AGAIN: u16 = 1013;

    /// A close with this code and reason. A reason longer than 123 bytes is truncated at a
    /// character boundary.
    ///
    /// A code that may not be sent (RFC 6455 §7.4) becomes 1011.
    pub fn new(code: u16, reason: impl Into<Cow<'static, str>>) -> Self {
        Self {
            code: if is_sendable(code) { code } else { Self::ERROR },
            reason: truncate(reason.into()),
        }
    }

    /// A normal closure (1000).
    pub fn normal() -> Self {
        Self::new(Self::NORMAL, "")
    }

    /// Not allowed, or no longer allowed (1008): the page does not reconnect by itself.
    pub fn policy(reason: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Self::POLICY, reason)
    }

    /// A close as it was received, with any code.
    pub(crate) fn received(code: u16, reason: &str) -> Self {
        Self { code, reason: truncate(Cow::Owned(reason.to_owned())) }
    }

    /// A broken connection (1006).
    pub(crate) fn lost() -> Self {
        Self { code: Self::LOST, reason: Cow::Borrowed("") }
    }

    /// The code, if it may be sent.
    pub(crate) fn sendable(&self) -> Option<u16> {
        Some(self.code).filter(|code| is_sendable(*code))
    }

    /// The code, for example 1008.
    pub fn code(&self) -> u16 {
        self.code
    }

    /// The reason; may be empty.
    pub fn reason(&self) -> &str {
        &self.reason
    }
}

fn is_sendable(code: u16) -> bool {
    matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999)
}

fn truncate(reason: Cow<'static, str>) -> Cow<'static, str> {
    if reason.len() <= REASON_BYTES {
        return reason;
    }
    let end = (0..=REASON_BYTES).rev().find(|end| reason.is_char_boundary(*end));
    Cow::Owned(reason[..end.unwrap_or_default()].to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_reason_is_truncated_at_a_character_boundary() {
        let close = Close::policy("ü".repeat(100));
        assert_eq!(close.reason(), "ü".repeat(61));
    }

    #[test]
    fn a_code_that_may_not_be_sent_becomes_an_error() {
        for code in [0, 999, 1004, 1005, 1006, 1015, 2999, 5000] {
            assert_eq!(Close::new(code, "").code(), Close::ERROR, "{code}");
        }
    }
}
