//! Passwords that are refused, because they are too short or easy to guess as zxcvbn estimates it.

use zxcvbn::feedback::Warning;
use zxcvbn::{Score, zxcvbn};

use super::name::name_key;

/// The shortest password, in characters.
const SHORTEST: usize = 8;

/// The longest, in bytes: hashing must not become a way to keep us busy.
pub(super) const LONGEST: usize = 1000;

/// How much of a password is estimated, in characters: the time grows with the square of it, 13 ms
/// for so many. What begins with so many characters that are hard to guess is hard to guess.
const ESTIMATED: usize = 100;

/// The least score that is taken: more than 10⁸ guesses.
const ENOUGH: Score = Score::Three;

/// The shortest part of a name or an address that counts as a word, in characters.
const WORD: usize = 3;

/// Passwords of other languages, and sentences without spaces, that everybody knows but zxcvbn,
/// whose lists are mostly English.
const OTHERS: [&str; 9] = [
    "alhamdulillah",
    "bienvenido",
    "contraseña",
    "correcthorsebatterystaple",
    "ichliebedich",
    "insyaallah",
    "maryhadalittlelamb",
    "tobeornottobe",
    "willkommen",
];

/// Checks the length of a password.
///
/// # Errors
/// The sentence for the person who typed it.
pub(super) fn check_length(password: &str) -> Result<(), &'static str> {
    if password.chars().count() < SHORTEST {
        Err("At least 8 characters, please.")
    } else if password.len() > LONGEST {
        Err("That is too long.")
    } else {
        Ok(())
    }
}

/// Checks how easily a password is guessed by somebody who knows these names and addresses. Takes
/// milliseconds: not on the event loop.
///
/// # Errors
/// The sentence for the person who typed it.
pub(super) fn check(password: &str, own: &[String]) -> Result<(), &'static str> {
    let start: String = password.chars().take(ESTIMATED).collect();
    let own: Vec<_> = own.iter().flat_map(|text| words(text)).collect();
    let known: Vec<_> = own.iter().map(String::as_str).chain(OTHERS).collect();
    let estimate = zxcvbn(&start, &known);
    if estimate.score() >= ENOUGH {
        return Ok(());
    }
    let start = start.to_lowercase();
    let is_own = own.iter().any(|word| start.contains(word));
    let warning = estimate.feedback().and_then(|feedback| feedback.warning());
    Err(if is_own { OWN } else { reason(warning) })
}

const OWN: &str = "A password should not be your name, your address or the name of this site. Add words that nobody would guess.";

fn reason(warning: Option<Warning>) -> &'static str {
    use Warning::*;
    match warning {
        Some(
            ThisIsATop10Password
            | ThisIsATop100Password
            | ThisIsACommonPassword
            | ThisIsSimilarToACommonlyUsedPassword,
        ) => {
            "This is one of the first passwords anyone would try. Add another word or two that nobody would guess."
        }
        Some(
            StraightRowsOfKeysAreEasyToGuess
            | ShortKeyboardPatternsAreEasyToGuess
            | RepeatsLikeAaaAreEasyToGuess
            | RepeatsLikeAbcAbcAreOnlySlightlyHarderToGuess
            | SequencesLikeAbcAreEasyToGuess
            | RecentYearsAreEasyToGuess
            | DatesAreOftenEasyToGuess,
        ) => {
            "Repeats, rows of keys, sequences and dates are easy to guess. Add another word or two instead."
        }
        _ => "This is easy to guess. Add another word or two that nobody would guess.",
    }
}

/// A name or an address as it may stand in a password: the whole, without spaces, and each of its
/// words.
fn words(text: &str) -> Vec<String> {
    let text = text.to_lowercase();
    let parts: Vec<_> = text.split(|c: char| !c.is_alphanumeric()).map(str::to_owned).collect();
    let mut words = vec![name_key(&text), parts.concat(), text];
    words.extend(parts);
    words.retain(|word| word.chars().count() >= WORD);
    words.dedup();
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(password: &str) -> Result<(), &'static str> {
        check_length(password)?;
        let own = ["Ada Lovelace", "countess@example.org", "Bellwire"].map(str::to_owned);
        check(password, &own)
    }

    #[test]
    fn what_is_guessed_soon_is_refused_with_its_reason() {
        for (says, refused) in [
            ("At least 8", &["", "short", "1234567"][..]),
            ("too long", &[&"x1".repeat(LONGEST)]),
            (
                "one of the first",
                &["password", "PASSWORD123", "qwertyuiop", "p@ssw0rd!", "iloveyou2"],
            ),
            (
                "Repeats",
                &["zzzzzzzzzzzz", "abcdefgh", "hunter2hunter2", "19051981", "🔔🔔🐕🔔🔔🔔🔔🔔"],
            ),
            (
                "not be your name",
                &[
                    "Ada Lovelace",
                    "adalovelace",
                    "Lovelace1815",
                    "countess",
                    "countess@example.org",
                    "Bellwire2026!",
                ],
            ),
            (
                "easy to guess. Add another",
                &["one bell", "Tr0ub4dour&3", "b3llwire!", "willkommen1", "Contraseña1"],
            ),
        ] {
            for password in refused {
                let why = checked(password).expect_err(password);
                assert!(why.contains(says), "{password:.20}: {why}");
            }
        }
    }

    #[test]
    fn what_is_not_guessed_soon_is_taken() {
        for password in [
            "correct horse",
            "a-Bell-4-ada",
            "пароль-и-звон",
            "a bell rings",
            "a bell for every test",
            "Lovelace at the engine",
            &"three quiet bells ".repeat(50),
        ] {
            assert_eq!(checked(password), Ok(()), "{password:.20}");
        }
    }

    #[test]
    fn what_follows_a_hundred_characters_is_not_looked_at() {
        let (weak, strong) = ("x".repeat(ESTIMATED), "correct horse battery staple");
        assert!(check(&format!("{weak}{strong}"), &[]).is_err());
        assert!(check(&format!("{strong}{weak}"), &[]).is_ok());
    }
}
