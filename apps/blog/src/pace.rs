//! How much strangers may write.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::OnceLock;
use std::time::Duration;

use bellwire_site::{Attempts, SiteState};

use crate::BlogError;

/// Comments from one address by people who are not signed in, and the time they count for.
const COMMENTS: (usize, Duration) = (10, Duration::from_secs(5 * 60));

/// What this process remembers of those who wrote.
#[derive(Debug, Default)]
struct Written(OnceLock<Attempts<IpAddr>>);

/// Counts a comment of a stranger.
///
/// # Errors
/// [`BlogError::TooMany`] when there were too many from this address.
pub(crate) fn count(site: &SiteState, from: Option<IpAddr>) -> Result<(), BlogError> {
    let written = site.own::<Written>();
    let attempts = written.0.get_or_init(|| Attempts::new(COMMENTS.0, COMMENTS.1, site.clock().clone()));
    let from = from.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
    attempts.count(&from).map_err(|retry_after| BlogError::TooMany { retry_after })
}
