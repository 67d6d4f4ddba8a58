//! Setup of the log: destination and filter.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

use crate::Settings;

/// Starts logging to standard error, filtered by `BELLWIRE_LOG`. Does nothing if a subscriber is
/// already set.
pub fn start(settings: &Settings) {
    let filter = EnvFilter::try_new(&settings.log).unwrap_or_else(|_| EnvFilter::new("info"));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let _ = log.with_ansi(std::io::stderr().is_terminal()).try_init();
}
