//! Deserializers for numbers as browsers send them.

use ::serde::{Deserialize, Deserializer, de};

/// A number of an action, for `#[serde(deserialize_with = "bellwire::serde::lenient_int")]`: browsers send what stands in a page, such as an id, as
/// text (`"5"`) as often as a number (`5`).
///
/// ```
/// #[derive(Debug, PartialEq, serde::Deserialize)]
/// struct Turn {
///     #[serde(deserialize_with = "bellwire::serde::lenient_int")]
///     page: u32,
/// }
/// assert_eq!(serde_json::from_str::<Turn>(r#"{"page": "5"}"#)?, Turn { page: 5 });
/// assert_eq!(serde_json::from_str::<Turn>(r#"{"page": 5}"#)?, Turn { page: 5 });
/// assert!(serde_json::from_str::<Turn>(r#"{"page": "five"}"#).is_err());
/// # Ok::<(), serde_json::Error>(())
/// ```
///
/// # Errors
/// When it is neither, or too large for `T`.
pub fn lenient_int<'de, T, D>(deserializer: D) -> Result<T, D::Error>
where
    T: TryFrom<i64>,
    D: Deserializer<'de>,
{
    Written::deserialize(deserializer)?.number()
}

/// The same where there may be none: `null`, or nothing between the quotes, as a form sends it. Beside it stands `default`, for a field that
/// is missing.
///
/// ```
/// #[derive(Debug, PartialEq, serde::Deserialize)]
/// struct Sought {
///     #[serde(default, deserialize_with = "bellwire::serde::lenient_option_int")]
///     room: Option<i64>,
/// }
/// for (json, room) in [(r#"{"room": "5"}"#, Some(5)), (r#"{"room": ""}"#, None), (r#"{"room": null}"#, None), ("{}", None)] {
///     assert_eq!(serde_json::from_str::<Sought>(json)?, Sought { room });
/// }
/// # Ok::<(), serde_json::Error>(())
/// ```
///
/// # Errors
/// When there is something that is no number, or it is too large for `T`.
pub fn lenient_option_int<'de, T, D>(deserializer: D) -> Result<Option<T>, D::Error>
where
    T: TryFrom<i64>,
    D: Deserializer<'de>,
{
    match Option::<Written>::deserialize(deserializer)? {
        None => Ok(None),
        Some(Written::Text(text)) if text.trim().is_empty() => Ok(None),
        Some(written) => written.number().map(Some),
    }
}

/// A number as a browser writes it.
#[derive(Deserialize)]
#[serde(untagged, expecting = "expected a whole number")]
enum Written {
    Number(i64),
    Text(String),
}

impl Written {
    fn number<T: TryFrom<i64>, E: de::Error>(self) -> Result<T, E> {
        let number = match self {
            Self::Number(number) => Some(number),
            Self::Text(text) => text.trim().parse().ok(),
        };
        let number = number.ok_or_else(|| E::custom("expected a whole number"))?;
        T::try_from(number).map_err(|_| E::custom("there is no such number here"))
    }
}
