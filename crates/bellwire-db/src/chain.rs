//! Formats an error and its causes as one log line.

use std::error::Error;

/// Formats an error and its chain of sources as one line. A source whose text already ends the line
/// is not repeated.
pub fn chain(error: &(dyn Error + 'static)) -> String {
    let causes = std::iter::successors(error.source(), |&error| error.source());
    causes.map(ToString::to_string).fold(error.to_string(), |line, cause| {
        match line.ends_with(&cause) {
            true => line,
            false => format!("{line}: {cause}"),
        }
    })
}
