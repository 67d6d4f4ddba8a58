//! The error of the settings.

/// A setting that is wrong, in words for the operator.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name}={value}: expected {expected}")]
pub struct SettingsError {
    /// The variable.
    pub name: String,
    /// What it was set to.
    pub value: String,
    /// What would have been right.
    pub expected: String,
}
