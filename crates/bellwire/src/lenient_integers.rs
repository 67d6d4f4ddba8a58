//! Lenient deserializers (functions for `deserialize_with`) of integers that browsers may send as
//! text. This crate's own implementations of serde's traits are beside their types.

use ::serde::{Deserialize, Deserializer, de};

/// Deserializes an integer from a number (`5`) or from text (`"5"`).
///
/// Browsers send values that come from a page, such as an id, as text as often as a number. Use it
/// on a field with `#[serde(deserialize_with = "bellwire::serde::lenient_int")]`.
///
/// ```
/// #[derive(Debug, PartialEq, serde::Deserialize)]
/// struct ShowPage {
///     #[serde(deserialize_with = "bellwire::serde::lenient_int")]
///     page: u32,
/// }
/// assert_eq!(serde_json::from_str::<ShowPage>(r#"{"page": "5"}"#)?, ShowPage { page: 5 });
/// assert_eq!(serde_json::from_str::<ShowPage>(r#"{"page": 5}"#)?, ShowPage { page: 5 });
/// assert!(serde_json::from_str::<ShowPage>(r#"{"page": "five"}"#).is_err());
/// # Ok::<(), serde_json::Error>(())
/// ```
///
/// # Errors
/// If the value is neither, or is out of range for `T`.
pub fn lenient_int<'de, T, D>(deserializer: D) -> Result<T, D::Error>
where
    T: TryFrom<i64>,
    D: Deserializer<'de>,
{
    SentNumber::deserialize(deserializer)?.convert()
}

/// Deserializes an optional integer: like [`lenient_int`], but `null` and empty text, as a form
/// sends it, become `None`.
///
/// Add `default` to the attribute if the field may be missing.
///
/// ```
/// #[derive(Debug, PartialEq, serde::Deserialize)]
/// struct Search {
///     #[serde(default, deserialize_with = "bellwire::serde::lenient_option_int")]
///     room: Option<i64>,
/// }
/// for (json, room) in [
///     (r#"{"room": "5"}"#, Some(5)),
///     (r#"{"room": ""}"#, None),
///     (r#"{"room": null}"#, None),
///     ("{}", None),
/// ] {
///     assert_eq!(serde_json::from_str::<Search>(json)?, Search { room });
/// }
/// # Ok::<(), serde_json::Error>(())
/// ```
///
/// # Errors
/// If the value is anything else than a number or empty, or is out of range for `T`.
pub fn lenient_option_int<'de, T, D>(deserializer: D) -> Result<Option<T>, D::Error>
where
    T: TryFrom<i64>,
    D: Deserializer<'de>,
{
    match Option::<SentNumber>::deserialize(deserializer)? {
        None => Ok(None),
        Some(SentNumber::Text(text)) if text.trim().is_empty() => Ok(None),
        Some(number) => number.convert().map(Some),
    }
}

/// A number as a browser sends it.
#[derive(Deserialize)]
#[serde(untagged, expecting = "expected a whole number")]
enum SentNumber {
    Number(i64),
    Text(String),
}

impl SentNumber {
    fn convert<T: TryFrom<i64>, E: de::Error>(self) -> Result<T, E> {
        let number = match self {
            Self::Number(number) => Some(number),
            Self::Text(text) => text.trim().parse().ok(),
        };
        let number = number.ok_or_else(|| E::custom("expected a whole number"))?;
        T::try_from(number).map_err(|_| E::custom("the number is out of range"))
    }
}
