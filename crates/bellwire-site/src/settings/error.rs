//! The error of parsing the settings.

/// An invalid setting, with an error text for the operator.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name}={value}: expected {expected}")]
pub struct SettingsError {
    /// The variable.
    pub name: String,
    /// The value it was set to.
    pub value: String,
    /// A description of valid values.
    pub expected: String,
}
