//! Checks of values that are valid by themselves but conflict with each other.

use bellwire::Limits;

use super::error::SettingsError;

/// Refuses limits that conflict with each other.
pub(super) fn check_consistency(limits: &Limits) -> Result<(), SettingsError> {
    let error = |name: &str, value: String, expected: String| {
        Err(SettingsError { name: name.to_owned(), value, expected })
    };
    if limits.idle <= limits.ping {
        let expected = format!(
            "more than the {} seconds of BELLWIRE_PING_SECONDS, so that a ping can be answered in \
             between",
            limits.ping.as_secs()
        );
        return error("BELLWIRE_IDLE_SECONDS", limits.idle.as_secs().to_string(), expected);
    }
    if limits.queue_bytes < limits.message_bytes {
        let expected = format!(
            "at least the {} bytes of BELLWIRE_MESSAGE_BYTES, so that a message fits",
            limits.message_bytes
        );
        return error("BELLWIRE_QUEUE_BYTES", limits.queue_bytes.to_string(), expected);
    }
    Ok(())
}
