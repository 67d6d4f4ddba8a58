//! The data of a session: a JSON object with one field for each key, as text; empty as long as
//! nothing is kept.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::SiteError;

/// How much is kept in one session, by all apps together, in bytes of JSON.
const MOST: usize = 16 * 1024;

/// The value under a key.
pub(super) fn get<T: DeserializeOwned + Default>(data: &str, key: &str) -> Result<T, SiteError> {
    let value = object(data)?.remove(key);
    value.map_or_else(
        || Ok(T::default()),
        |value| serde_json::from_value(value).map_err(SiteError::internal),
    )
}

/// All of it, with this value under the key.
///
/// # Errors
/// If that is more than a session keeps.
pub(super) fn set(data: &str, key: &str, value: &impl Serialize) -> Result<String, SiteError> {
    let mut all = object(data)?;
    all.insert(key.to_owned(), serde_json::to_value(value).map_err(SiteError::internal)?);
    match text(&all)? {
        data if data.len() <= MOST => Ok(data),
        _ => Err(SiteError::Invalid("There is no room for more here.".to_owned())),
    }
}

/// The data of two sessions in one. Where both have a key, or there is no room for both, that of
/// the first counts.
pub(super) fn joined(first: String, second: &str) -> Result<String, SiteError> {
    if second.is_empty() {
        return Ok(first);
    }
    let mut all = object(second)?;
    all.extend(object(&first)?);
    let joined = text(&all)?;
    Ok(if joined.len() <= MOST { joined } else { first })
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
    fn of_two_the_first_counts_and_a_bound_holds() {
        let joined = |first: &str, second: &str| joined(first.to_owned(), second).unwrap();
        assert_eq!(joined("", ""), "");
        assert_eq!(joined(r#"{"a":1}"#, ""), r#"{"a":1}"#);
        assert_eq!(joined("", r#"{"a":1}"#), r#"{"a":1}"#);
        assert_eq!(joined(r#"{"a":1}"#, r#"{"a":2,"b":3}"#), r#"{"a":1,"b":3}"#);
        let large = set("", "large", &"x".repeat(MOST - 100)).unwrap();
        assert_eq!(joined(&large, &large.replace("large", "other")), large);
        assert!(set(&large, "more", &"x".repeat(100)).is_err());
    }
}
