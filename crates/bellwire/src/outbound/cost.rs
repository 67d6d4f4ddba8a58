//! Cost of a queued message.

/// The number of messages, and their bytes. Both saturate at `u32::MAX`.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Cost {
    messages: u32,
    bytes: u32,
}

impl Cost {
    pub(crate) fn new(messages: usize, bytes: usize) -> Self {
        let count = |number| u32::try_from(number).unwrap_or(u32::MAX);
        Self { messages: count(messages), bytes: count(bytes) }
    }

    pub(crate) fn messages(self) -> u32 {
        self.messages
    }

    pub(crate) fn plus(self, other: Self) -> Self {
        Self {
            messages: self.messages.saturating_add(other.messages),
            bytes: self.bytes.saturating_add(other.bytes),
        }
    }

    pub(crate) fn minus(self, other: Self) -> Self {
        Self {
            messages: self.messages.saturating_sub(other.messages),
            bytes: self.bytes.saturating_sub(other.bytes),
        }
    }

    pub(crate) fn is_within(self, limit: Self) -> bool {
        self.messages <= limit.messages && self.bytes <= limit.bytes
    }
}
