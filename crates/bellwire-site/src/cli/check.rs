//! The `bellwire check` command.

use super::print_line;
use crate::Settings;
use crate::builder::Builder;

/// Runs all checks and prints one line for each.
///
/// # Errors
/// If a check fails.
pub(crate) async fn run(settings: Settings, site: Builder) -> anyhow::Result<()> {
    show("settings", &Ok("all variables are known and valid".to_owned()));
    let found = crate::check::check(&settings, &site.apps).await;
    found.iter().for_each(|finding| show(finding.what, &finding.result));
    match found.iter().filter(|finding| finding.result.is_err()).count() {
        0 => Ok(()),
        1 => anyhow::bail!("one check failed"),
        failed => anyhow::bail!("{failed} checks failed"),
    }
}

pub(crate) fn show(name: &str, result: &Result<String, String>) {
    match result {
        Ok(state) => print_line(format_args!("OK     {name}: {state}")),
        Err(problem) => print_line(format_args!("WRONG  {name}: {problem}")),
    }
}
