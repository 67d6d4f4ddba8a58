//! Classification of invisible and combining characters.

use unicode_normalization::char::is_combining_mark;

/// Whether a character is invisible or changes how others are shown, so that names which contain it
/// look like other names.
///
/// A person's name that contains one is refused; other names and titles lose it; a text keeps it
/// but must also contain something visible.
pub fn is_invisible(c: char) -> bool {
    (c.is_control() && !c.is_whitespace())
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}' | '\u{13441}' | '\u{13442}' | '\u{16fe4}' | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d159}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// Whether a character joins or varies the characters around it, as in emoji and in many scripts.
/// It is invisible alone.
pub fn is_joiner(c: char) -> bool {
    matches!(c, '\u{200c}' | '\u{200d}' | '\u{fe00}'..='\u{fe0f}')
}

/// Whether a character belongs to the one before it: marks, joiners, variations and skin tones.
pub fn attaches(c: char) -> bool {
    is_combining_mark(c)
        || matches!(c, '\u{200C}' | '\u{200D}' | '\u{FE00}'..='\u{FE0F}' | '\u{1F3FB}'..='\u{1F3FF}' | '\u{E0020}'..='\u{E007F}')
}

/// Whether a text has a visible character.
pub fn shows(text: &str) -> bool {
    text.chars().any(|c| !c.is_whitespace() && !is_invisible(c) && !is_joiner(c))
}
