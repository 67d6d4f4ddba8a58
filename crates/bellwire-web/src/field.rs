//! One field of a form, as a template shows it.

/// What was typed into a field, and what is wrong with it.
///
/// ```
/// use bellwire_web::Field;
/// let mut name = Field::typed("");
/// name.wrong("Please type a name.");
/// name.wrong("It is too short.");
/// assert_eq!(name.error.as_deref(), Some("Please type a name."));     // the first thing to mend
/// ```
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Field {
    /// As it was typed.
    pub value: String,
    /// A sentence for the one who typed it.
    pub error: Option<String>,
}

impl Field {
    /// A field with this in it.
    pub fn typed(value: impl Into<String>) -> Self {
        Self { value: value.into(), error: None }
    }

    /// Says what is wrong, unless something was wrong before.
    pub fn wrong(&mut self, error: impl Into<String>) {
        self.error.get_or_insert(error.into());
    }
}
