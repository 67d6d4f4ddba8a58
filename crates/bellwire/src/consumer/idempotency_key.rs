//! Idempotency keys, which identify repeated actions.

use crate::Refusal;

/// The maximum length, in bytes: enough for a UUID with a prefix.
const MAX_BYTES: usize = 64;

/// The sender's own id of an action (`client_id`), which identifies a repeated send.
///
/// A page keeps an action until it is answered, and sends it again with the same id after a
/// reconnect or a reload. Store the id with the result of the action, and look for it before
/// creating another, so that the action takes effect once:
///
/// ```
/// use bellwire::IdempotencyKey;
/// use std::collections::BTreeMap;
///
/// let mut messages = BTreeMap::new();
/// for (client_id, message) in [("c-1", "Lunch?"), ("c-2", "Yes!"), ("c-1", "Lunch?")] {
///     if let Some(key) = IdempotencyKey::parse(Some(client_id))? {
///         messages.entry(key).or_insert(message);
///     }
/// }
/// assert_eq!(messages.into_values().collect::<Vec<_>>(), ["Lunch?", "Yes!"]);
/// # Ok::<(), bellwire::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IdempotencyKey(String);

impl IdempotencyKey {
    /// Validates an id: 1 to 64 ASCII letters, digits, `-` or `_`. Empty text is `None`.
    ///
    /// # Errors
    /// If the id is anything else.
    pub fn parse(client_id: Option<&str>) -> Result<Option<Self>, Refusal> {
        let is_valid = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
        match client_id {
            None | Some("") => Ok(None),
            Some(id) if id.len() <= MAX_BYTES && id.bytes().all(is_valid) => {
                Ok(Some(Self(id.to_owned())))
            }
            Some(_) => Err(Refusal::field(
                "client_id",
                "Invalid `client_id`: expected 1 to 64 letters, digits, `-` or `_`.",
            )),
        }
    }

    /// The id.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_short_client_id_of_allowed_characters_is_valid() {
        assert_eq!(IdempotencyKey::parse(None), Ok(None));
        assert_eq!(IdempotencyKey::parse(Some("")), Ok(None));
        for good in ["6ba7b810-9dad-11d1-80b4-00c04fd430c8", "_", &"x".repeat(64)] {
            assert_eq!(
                IdempotencyKey::parse(Some(good)),
                Ok(Some(IdempotencyKey(good.to_owned())))
            );
        }
        for bad in ["a b", "\"", "<b>", "é", &"x".repeat(65)] {
            let invalid = IdempotencyKey::parse(Some(bad)).unwrap_err();
            assert_eq!(invalid.field.as_deref(), Some("client_id"), "{bad}");
        }
    }
}
