//! The log's destination and filter.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

use crate::Settings;

/// Sends the log to the standard error output, as `BELLWIRE_LOG` says. Does nothing when there is a
/// log already.
pub fn start(settings: &Settings) {
    let filter = EnvFilter::try_new(&settings.log).unwrap_or_else(|_| EnvFilter::new("info"));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let _ = log.with_ansi(std::io::stderr().is_terminal()).try_init();
}
