//! A form field: its value and its error, for templates.

/// The value of a form field, and its validation error.
///
/// ```
/// use bellwire_web::Field;
/// let mut name = Field::typed("");
/// name.wrong("Please type a name.");
/// name.wrong("It is too short.");
/// assert_eq!(name.error.as_deref(), Some("Please type a name."));     // the first error is kept
/// ```
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Field {
    /// The value as it was typed.
    pub value: String,
    /// The error, as a sentence for the person.
    pub error: Option<String>,
}

impl Field {
    /// Creates a field with this value.
    pub fn typed(value: impl Into<String>) -> Self {
        Self { value: value.into(), error: None }
    }

    /// Sets the error, unless there already is one.
    pub fn wrong(&mut self, error: impl Into<String>) {
        self.error.get_or_insert(error.into());
    }
}
