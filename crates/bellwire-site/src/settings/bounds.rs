//! The settings that are numbers: every queue's size and every wait's end, for sockets and for connections.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::setting::Setting;
use super::{Settings, SettingsError};

/// A number that the operator may set.
pub(super) struct Bound {
    pub(super) name: &'static str,
    range: RangeInclusive<u64>,
    set: fn(&mut Settings, u64),
}

/// A length in bytes, up to what a message may sensibly be.
const BYTES: RangeInclusive<u64> = 1024..=64 * 1024 * 1024;
/// A wait, up to an hour.
const SECONDS: RangeInclusive<u64> = 1..=3600;
/// A number of things.
const MANY: RangeInclusive<u64> = 1..=1_000_000;

const fn bound(name: &'static str, range: RangeInclusive<u64>, set: fn(&mut Settings, u64)) -> Bound {
    Bound { name, range, set }
}

/// In the order of the README.
pub(super) const BOUNDS: [Bound; 19] = [
    bound("BELLWIRE_CONNECTIONS", MANY, |settings, n| settings.serve.connections = size(n)),
    bound("BELLWIRE_HEADER_SECONDS", SECONDS, |settings, n| settings.serve.headers = seconds(n)),
    bound("BELLWIRE_REQUEST_SECONDS", SECONDS, |settings, n| settings.request = seconds(n)),
    bound("BELLWIRE_RESPONSE_SECONDS", SECONDS, |settings, n| settings.serve.response = seconds(n)),
    bound("BELLWIRE_MESSAGE_BYTES", BYTES, |settings, n| settings.limits.message_bytes = size(n)),
    bound("BELLWIRE_FRAGMENTS", MANY, |settings, n| settings.limits.fragments = size(n)),
    bound("BELLWIRE_ADDRESS_BYTES", 256..=64 * 1024, |settings, n| settings.limits.address_bytes = size(n)),
    bound("BELLWIRE_ACTIONS_PER_SECOND", 0..=1_000_000, |settings, n| {
        settings.limits.actions_per_second = Some(number(n)).filter(|most| *most > 0);
    }),
    bound("BELLWIRE_ACTION_BURST", MANY, |settings, n| settings.limits.action_burst = number(n)),
    bound("BELLWIRE_SOCKETS_PER_PERSON", MANY, |settings, n| settings.limits.sockets_per_person = size(n)),
    bound("BELLWIRE_SOCKETS_PER_ADDRESS", MANY, |settings, n| settings.limits.sockets_per_address = size(n)),
    bound("BELLWIRE_QUEUE_MESSAGES", MANY, |settings, n| settings.limits.queue_messages = size(n)),
    bound("BELLWIRE_QUEUE_BYTES", BYTES, |settings, n| settings.limits.queue_bytes = size(n)),
    bound("BELLWIRE_HANDLER_SECONDS", SECONDS, |settings, n| settings.limits.handler = seconds(n)),
    bound("BELLWIRE_WRITE_SECONDS", SECONDS, |settings, n| settings.limits.write = seconds(n)),
    bound("BELLWIRE_IDLE_SECONDS", SECONDS, |settings, n| settings.limits.idle = seconds(n)),
    bound("BELLWIRE_PING_SECONDS", SECONDS, |settings, n| settings.limits.ping = seconds(n)),
    bound("BELLWIRE_CLOSE_SECONDS", SECONDS, |settings, n| settings.limits.close = seconds(n)),
    bound("BELLWIRE_PRESENCE_SECONDS", SECONDS, |settings, n| settings.limits.presence_grace = seconds(n)),
];

impl Bound {
    pub(super) fn set(&self, settings: &mut Settings, setting: Setting<'_>) -> Result<(), SettingsError> {
        let (least, most) = (self.range.start(), self.range.end());
        let wrong = || setting.wrong(&format!("a whole number from {least} to {most}"));
        let number = setting.value.parse().ok().filter(|number| self.range.contains(number));
        (self.set)(settings, number.ok_or_else(wrong)?);
        Ok(())
    }
}

/// What is right by itself and wrong together.
pub(super) fn fit_together(settings: &Settings) -> Result<(), SettingsError> {
    let wrong = |name: &str, value: String, expected: String| {
        Err(SettingsError { name: name.to_owned(), value, expected })
    };
    let limits = &settings.limits;
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

fn seconds(number: u64) -> Duration {
    Duration::from_secs(number)
}

fn size(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

fn number(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
