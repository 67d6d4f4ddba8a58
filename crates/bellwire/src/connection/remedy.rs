//! Remedies for the closes of the server, for its log.

use crate::Close;

/// The next step for whoever reads in the log that the server closed a connection; `None` if it did
/// not, or if nothing is to be done.
pub(super) fn remedy(close: &Close) -> Option<&'static str> {
    match (close.code(), close.reason()) {
        (Close::TRY_AGAIN, "too slow to read") => {
            Some("the client reads too little; `Limits::write` is its time")
        }
        (Close::TRY_AGAIN, "no activity for too long") => {
            Some("the peer is gone; `Limits::idle` is its time")
        }
        (Close::TRY_AGAIN, "too slow: messages were dropped") => Some(
            "send less, override `Consumer::lagged`, or raise `Limits::queue_messages` and \
             `Limits::queue_bytes`",
        ),
        (Close::TRY_AGAIN, _) => Some("the page reconnects by itself"),
        (Close::POLICY, "too many actions") => {
            Some("a person does not act that fast; `Limits::actions_per_second` allows more")
        }
        (Close::POLICY, "too many pings") => Some("the client violates the protocol"),
        (Close::POLICY, _) => {
            Some("not allowed, or no longer allowed; the page does not reconnect")
        }
        (Close::ERROR, _) => Some("see the error above"),
        (Close::TOO_BIG, _) => Some("`Limits::message_bytes` is the maximum size"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_close_by_the_server_has_a_remedy_and_an_ordinary_end_has_none() {
        for code in [Close::POLICY, Close::TRY_AGAIN, Close::ERROR, Close::TOO_BIG] {
            assert!(remedy(&Close::new(code, "any")).is_some(), "{code}");
        }
        for close in [Close::normal(), Close::lost(), Close::new(Close::RESTART, "retry=100")] {
            assert_eq!(remedy(&close), None);
        }
    }
}
