//! The data of a session: a JSON object with one field per key, as text; empty while nothing is
//! stored.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::SiteError;

/// The maximum size of one session's data, for all apps together, in bytes of JSON.
const MOST: usize = 16 * 1024;

/// The value under a key.
pub(super) fn get<T: DeserializeOwned + Default>(data: &str, key: &str) -> Result<T, SiteError> {
    let value = object(data)?.remove(key);
    value.map_or_else(
        || Ok(T::default()),
        |value| serde_json::from_value(value).map_err(SiteError::internal),
    )
}

/// The data with this value stored under the key.
///
/// # Errors
/// If the result exceeds the maximum size.
pub(super) fn set(data: &str, key: &str, value: &impl Serialize) -> Result<String, SiteError> {
    let mut all = object(data)?;
    all.insert(key.to_owned(), serde_json::to_value(value).map_err(SiteError::internal)?);
    match text(&all)? {
        data if data.len() <= MOST => Ok(data),
        _ => {
            Err(SiteError::Invalid("Your session is full, so this could not be saved.".to_owned()))
        }
    }
}

/// Merges the data of two sessions. The first wins if both have a key, and replaces the result if
/// both together exceed the maximum size.
pub(super) fn merged(first: String, second: &str) -> Result<String, SiteError> {
    if second.is_empty() {
        return Ok(first);
    }
    let mut all = object(second)?;
    all.extend(object(&first)?);
    let merged = text(&all)?;
    Ok(if merged.len() <= MOST { merged } else { first })
}

fn object(data: &str) -> Result<Map<String, Value>, SiteError> {
    match data {
        "" => Ok(Map::new()),
        data => serde_json::from_str(data).map_err(SiteError::internal),
    }
}

fn text(all: &Map<String, Value>) -> Result<String, SiteError> {
    serde_json::to_string(all).map_err(SiteError::internal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn merging_prefers_the_first_and_respects_the_maximum_size() {
        let merged = |first: &str, second: &str| merged(first.to_owned(), second).unwrap();
        assert_eq!(merged("", ""), "");
        assert_eq!(merged(r#"{"a":1}"#, ""), r#"{"a":1}"#);
        assert_eq!(merged("", r#"{"a":1}"#), r#"{"a":1}"#);
        assert_eq!(merged(r#"{"a":1}"#, r#"{"a":2,"b":3}"#), r#"{"a":1,"b":3}"#);
        let large = set("", "large", &"x".repeat(MOST - 100)).unwrap();
        assert_eq!(merged(&large, &large.replace("large", "other")), large);
        assert!(set(&large, "more", &"x".repeat(100)).is_err());
    }
}
