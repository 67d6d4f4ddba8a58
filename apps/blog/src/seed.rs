//! Articles and comments of people who exist nowhere.

use bellwire_site::seed::Progress;
use bellwire_site::{Person, SiteError, SiteState};

/// Adds what is missing.
pub(crate) async fn fill(
    _site: &SiteState,
    _people: &[Person],
    _progress: &mut Progress,
) -> Result<(), SiteError> {
    Ok(())
}
