//! Tests of folding: stored texts must keep their folded form.

use bellwire_markup::{Case, fold};
use unicode_normalization::UnicodeNormalization;

/// The former folding of e-mail addresses, and of the blog's texts before accents were removed; the
/// results are stored.
fn lowered(text: &str) -> String {
    text.nfkc().collect::<String>().to_lowercase()
}

/// Every character that a form or case could change: the others are ideographs or unassigned.
fn every_character() -> impl Iterator<Item = String> {
    let compatible_ideographs = '\u{2f800}'..='\u{2fa1f}';
    ('\0'..='\u{1ffff}').chain(compatible_ideographs).map(String::from)
}

#[test]
fn an_address_is_folded_as_stored() {
    let differs: Vec<_> =
        every_character().filter(|c| fold(c, Case::Lower) != lowered(c)).collect();
    assert_eq!(differs, Vec::<String>::new());
    for typed in ["Ada@Example.org", "ＡＤＡ@ｅxample.ORG", "İ@x", "ΣΑΣ@x", "Zoe\u{308}@x"]
    {
        assert_eq!(fold(typed, Case::Lower), lowered(typed), "{typed}");
    }
}

#[test]
fn folded_text_without_accents_is_as_stored() {
    let stored = |text: &str| lowered(text).nfkd().collect::<String>();
    let now = |text: &str| fold(text, Case::Lower).nfkd().collect::<String>();
    for c in every_character() {
        assert_eq!(now(&c), stored(&c), "{c:?}");
    }
    for text in ["Crème brûlée", "ΟΔΟΣ", "Straße", "İstanbul ı", "日本語"] {
        assert_eq!(now(text), stored(text), "{text}");
    }
}

#[test]
fn case_is_folded_in_every_script_as_far_as_each_kind_promises() {
    for (one, other) in [
        ("ÄRGER", "ärger"),
        ("ЖДАТЬ", "ждать"),
        ("ﬁsh", "FISH"),
        ("e\u{301}", "É"),
        ("ｗｉｄｅ", "WIDE"),
    ] {
        for case in [Case::Lower, Case::Full] {
            assert_eq!(fold(one, case), fold(other, case), "{one} {case:?}");
        }
    }
    for (one, other) in [("Straße", "STRASSE"), ("ΟΔΟΣ", "οδοσ"), ("ılık", "ilik")] {
        assert_ne!(fold(one, Case::Lower), fold(other, Case::Lower), "{one}");
        assert_eq!(fold(one, Case::Full), fold(other, Case::Full), "{one}");
    }
}
