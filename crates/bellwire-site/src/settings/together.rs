//! Values that are right by themselves and wrong together.

use bellwire::Limits;

use super::error::SettingsError;

/// Refuses limits that do not fit together.
pub(super) fn fit_together(limits: &Limits) -> Result<(), SettingsError> {
    let wrong = |name: &str, value: String, expected: String| {
        Err(SettingsError { name: name.to_owned(), value, expected })
    };
    if limits.idle <= limits.ping {
        let expected = format!(
            "more than the {} seconds of BELLWIRE_PING_SECONDS, for a ping has to be answered in between",
            limits.ping.as_secs()
        );
        return wrong("BELLWIRE_IDLE_SECONDS", limits.idle.as_secs().to_string(), expected);
    }
    if limits.queue_bytes < limits.message_bytes {
        let expected = format!(
            "at least the {} bytes of BELLWIRE_MESSAGE_BYTES, for a message has to fit",
            limits.message_bytes
        );
        return wrong("BELLWIRE_QUEUE_BYTES", limits.queue_bytes.to_string(), expected);
    }
    Ok(())
}
