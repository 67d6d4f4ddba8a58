//! Folding: maps texts that differ only in case or compatibility forms to the same text.

use unicode_normalization::UnicodeNormalization;

/// The kind of case folding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Case {
    /// Lowercase: `STRASSE` and `Straße` stay different. For keys, such as people's names.
    Lower,
    /// Uppercase, then lowercase: `ß` becomes `ss`, `ς` becomes `σ`, `ı` becomes `i`. For searches.
    Full,
}

/// Folds a text: compatibility forms (NFKC) and case.
///
/// The results are stored, in keys and in searched columns: a change of this function needs a
/// migration of them.
///
/// ```
/// use bellwire_markup::{Case, fold};
/// assert_eq!(fold("Ｇｒｏẞｅ ﬁsh", Case::Lower), "große fish");
/// assert_eq!(fold("Straße", Case::Full), fold("STRASSE", Case::Full));
/// ```
pub fn fold(text: &str, case: Case) -> String {
    let compatible = text.nfkc();
    match case {
        Case::Lower => compatible.collect::<String>().to_lowercase().nfkc().collect(),
        Case::Full => {
            compatible.flat_map(char::to_uppercase).flat_map(char::to_lowercase).nfkc().collect()
        }
    }
}
