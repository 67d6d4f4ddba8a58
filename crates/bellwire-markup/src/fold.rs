//! Folding: texts that differ only in how they are written become the same.

use unicode_normalization::UnicodeNormalization;

/// How letters lose their case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Case {
    /// Each letter as its small one: `STRASSE` and `Straße` stay two. For keys, such as people's
    /// names.
    Lower,
    /// Each letter as what its capital is in small: `ß` is `ss`, `ς` is `σ`, `ı` is `i`. For
    /// searches.
    Full,
}

/// The text in compatible forms (NFKC) and without case.
///
/// What it answers is stored, in keys and in columns that are searched: a change of it needs a
/// migration of those.
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
