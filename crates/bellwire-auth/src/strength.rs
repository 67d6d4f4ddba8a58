//! Password strength: minimum length, and resistance to guessing as estimated by zxcvbn.

use zxcvbn::feedback::Warning;
use zxcvbn::{Score, zxcvbn};

use super::name::name_key;

/// The minimum length of a password, in characters.
const MIN_CHARS: usize = 8;

/// The maximum length, in bytes, so that hashing long passwords cannot be used for denial of
/// service.
pub(super) const LONGEST: usize = 1000;

/// The number of characters passed to zxcvbn, whose time grows with the square of the length: 13 ms
/// for 100 characters. If the first 100 characters are hard to guess, so is the whole.
const ESTIMATED: usize = 100;

/// The minimum accepted score: more than 10⁸ guesses.
const MIN_SCORE: Score = Score::Three;

/// The minimum length of a part of a name or address that counts as a word, in characters.
const WORD: usize = 3;

/// Well-known passwords in other languages, and phrases without spaces, that are missing from
/// zxcvbn's mostly English lists.
const COMMON: [&str; 9] = [
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
/// The error text for the person.
pub(super) fn check_length(password: &str) -> Result<(), &'static str> {
    if password.chars().count() < MIN_CHARS {
        Err("At least 8 characters, please.")
    } else if password.len() > LONGEST {
        Err("The password is too long.")
    } else {
        Ok(())
    }
}

/// Checks how easily somebody who knows these names and addresses can guess the password. Takes
/// milliseconds, so do not call it on the event loop.
///
/// # Errors
/// The error text for the person.
pub(super) fn check(password: &str, own: &[String]) -> Result<(), &'static str> {
    let start: String = password.chars().take(ESTIMATED).collect();
    let own: Vec<_> = own.iter().flat_map(|text| words(text)).collect();
    let known: Vec<_> = own.iter().map(String::as_str).chain(COMMON).collect();
    let estimate = zxcvbn(&start, &known);
    if estimate.score() >= MIN_SCORE {
        return Ok(());
    }
    let start = start.to_lowercase();
    let is_own = own.iter().any(|word| start.contains(word));
    let warning = estimate.feedback().and_then(|feedback| feedback.warning());
    Err(if is_own { OWN } else { reason(warning) })
}

const OWN: &str = "A password should not be your name, your address or the name of this site. \
                   Add words that nobody would guess.";

fn reason(warning: Option<Warning>) -> &'static str {
    use Warning::*;
    match warning {
        Some(
            ThisIsATop10Password
            | ThisIsATop100Password
            | ThisIsACommonPassword
            | ThisIsSimilarToACommonlyUsedPassword,
        ) => {
            "This is one of the first passwords anyone would try. Add another word or two that \
             nobody would guess."
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
            "Repeats, rows of keys, sequences and dates are easy to guess. Add another word or \
             two instead."
        }
        _ => "This is easy to guess. Add another word or two that nobody would guess.",
    }
}

/// The forms in which a name or an address may occur in a password: the whole, without spaces, and
/// each of its words.
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
    fn weak_passwords_are_refused_with_a_reason() {
        for (expected, refused) in [
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
                let reason = checked(password).expect_err(password);
                assert!(reason.contains(expected), "{password:.20}: {reason}");
            }
        }
    }

    #[test]
    fn strong_passwords_are_accepted() {
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
    fn characters_after_the_first_hundred_are_not_estimated() {
        let (weak, strong) = ("x".repeat(ESTIMATED), "correct horse battery staple");
        assert!(check(&format!("{weak}{strong}"), &[]).is_err());
        assert!(check(&format!("{strong}{weak}"), &[]).is_ok());
    }
}
