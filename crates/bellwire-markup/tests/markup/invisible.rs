//! Tests of invisible characters.

use bellwire_markup::{is_invisible, is_joiner, shows};

use crate::{plain, render};

/// Characters that only the former table for names listed as invisible.
const FORMERLY_FOR_NAMES_ONLY: [char; 21] = [
    '\u{180B}',
    '\u{180C}',
    '\u{180D}',
    '\u{180F}', // Mongolian variations
    '\u{2800}', // a Braille cell without dots
    '\u{13441}',
    '\u{13442}', // Egyptian blanks
    '\u{16FE4}', // a Khitan filler
    '\u{1BCA0}',
    '\u{1BCA1}',
    '\u{1BCA2}',
    '\u{1BCA3}', // how shorthand is joined
    '\u{1D159}', // a note without a head
    '\u{1D173}',
    '\u{1D174}',
    '\u{1D175}',
    '\u{1D176}',
    '\u{1D177}',
    '\u{1D178}',
    '\u{1D179}',
    '\u{1D17A}', // where beams, ties, slurs and phrases begin and end
];

#[test]
fn one_table_lists_all_invisible_characters() {
    for c in FORMERLY_FOR_NAMES_ONLY {
        assert!(is_invisible(c) && !is_joiner(c), "{c:?}");
        assert!(!shows(&c.to_string()) && !shows(&format!(" {c}\u{200d}{c}")), "{c:?}");
        assert!(shows(&format!("a{c}")), "{c:?}");
    }
}

#[test]
fn invisible_characters_within_a_text_stay_unchanged() {
    for c in FORMERLY_FOR_NAMES_ONLY {
        let text = format!("a{c}b");
        assert_eq!(render(&text).as_str(), format!("<p>{text}</p>"));
        assert_eq!(plain(&text, 10), text);
    }
}

#[test]
fn letters_marks_spaces_and_joiners_are_not_invisible() {
    for c in [
        'a', 'ß', 'ᠠ', '⠁', ' ', '\n', '\u{a0}', '\u{301}', '\u{200c}', '\u{200d}', '\u{fe0f}',
        '🦊', '𝅘',
    ] {
        assert!(!is_invisible(c), "{c:?}");
    }
}
