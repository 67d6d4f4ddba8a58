//! How a send that is repeated is known again.

use crate::Invalid;

/// The longest id, in bytes: enough for a UUID and what somebody puts before it.
const LONGEST: usize = 64;

/// The sender's own id of an ask: what makes a repeated send the same thing.
///
/// A page keeps an ask until it is answered, and sends it again, with the same id, after a
/// reconnect or a reload. Whoever keeps the id beside what was made of the ask, and looks for it
/// before making another, has it once:
///
/// ```
/// use bellwire::IdempotencyKey;
/// use std::collections::BTreeMap;
///
/// let mut kept = BTreeMap::new();
/// for (asked, message) in [("c-1", "Lunch?"), ("c-2", "Yes!"), ("c-1", "Lunch?")] {
///     if let Some(id) = IdempotencyKey::parse(Some(asked))? {
///         kept.entry(id).or_insert(message);
///     }
/// }
/// assert_eq!(kept.into_values().collect::<Vec<_>>(), ["Lunch?", "Yes!"]);
/// # Ok::<(), bellwire::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IdempotencyKey(String);

impl IdempotencyKey {
    /// Checks an id: 1 to 64 ASCII letters, digits, `-` or `_`. An empty one is none.
    ///
    /// # Errors
    /// When it is anything else.
    pub fn parse(given: Option<&str>) -> Result<Option<Self>, Invalid> {
        let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
        match given {
            None | Some("") => Ok(None),
            Some(id) if id.len() <= LONGEST && id.bytes().all(fits) => {
                Ok(Some(Self(id.to_owned())))
            }
            Some(_) => Err(Invalid::field(
                "client_id",
                "`client_id` is 1 to 64 letters, digits, `-` or `_`.",
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
    fn a_client_id_is_short_and_plain_or_none() {
        assert_eq!(IdempotencyKey::parse(None), Ok(None));
        assert_eq!(IdempotencyKey::parse(Some("")), Ok(None));
        for good in ["6ba7b810-9dad-11d1-80b4-00c04fd430c8", "_", &"x".repeat(64)] {
            assert_eq!(
                IdempotencyKey::parse(Some(good)),
                Ok(Some(IdempotencyKey(good.to_owned())))
            );
        }
        for bad in ["a b", "\"", "<b>", "é", &"x".repeat(65)] {
            let refused = IdempotencyKey::parse(Some(bad)).unwrap_err();
            assert_eq!(refused.field.as_deref(), Some("client_id"), "{bad}");
        }
    }
}
