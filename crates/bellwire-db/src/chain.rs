//! An error in one line of the log.

use std::error::Error;

/// An error with everything that led to it, in a line. What an error repeats of its cause is said
/// once.
pub fn chain(error: &(dyn Error + 'static)) -> String {
    let causes = std::iter::successors(error.source(), |&error| error.source());
    causes.map(ToString::to_string).fold(error.to_string(), |line, cause| {
        match line.ends_with(&cause) {
            true => line,
            false => format!("{line}: {cause}"),
        }
    })
}
