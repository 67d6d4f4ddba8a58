//! How much may be written.

use std::time::Duration;

use bellwire_site::{Bound, Rate};

/// Comments.
pub(crate) struct Comments;

impl Rate for Comments {
    const STRANGERS: Bound = (10, Duration::from_secs(5 * 60));
    /// More than anybody types, so it stops nothing but a script.
    const PEOPLE: Bound = (100, Duration::from_secs(5 * 60));
}
