//! Paths of the server and the browser, from the environment that `bin/test` prepares.

use std::path::PathBuf;

/// The server under test: `BELLWIRE_TEST_SERVER`.
///
/// # Panics
/// If the variable is not set or names no file.
#[must_use]
pub fn server() -> PathBuf {
    let named = std::env::var_os("BELLWIRE_TEST_SERVER").map(PathBuf::from);
    let Some(path) = named.filter(|path| path.is_file()) else {
        panic!(
            "BELLWIRE_TEST_SERVER does not name the built server: run these stories with `bin/test`, or \
             separately with `bin/test --test stories`"
        );
    };
    path
}

/// The browser: `BELLWIRE_TEST_CHROMIUM`, or `chromium` on the path.
#[must_use]
pub fn chromium() -> String {
    std::env::var("BELLWIRE_TEST_CHROMIUM").unwrap_or_else(|_| "/usr/bin/chromium".to_owned())
}

/// The browser without a user interface, which takes half the time: `BELLWIRE_TEST_HEADLESS_SHELL`.
/// Some systems do not have it.
#[must_use]
pub fn headless_shell() -> Option<String> {
    std::env::var("BELLWIRE_TEST_HEADLESS_SHELL").ok().filter(|program| !program.is_empty())
}

/// The folder for screenshots: `BELLWIRE_TEST_SCREENSHOTS`. Without it none are taken.
#[must_use]
pub fn screenshots() -> Option<PathBuf> {
    std::env::var_os("BELLWIRE_TEST_SCREENSHOTS").map(PathBuf::from)
}
