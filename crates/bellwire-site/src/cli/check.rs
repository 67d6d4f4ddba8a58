//! `bellwire check`.

use super::say;
use crate::Settings;
use crate::builder::Builder;

/// Shows what was found, a line for each thing.
///
/// # Errors
/// When something is wrong.
pub(crate) async fn run(settings: Settings, site: Builder) -> anyhow::Result<()> {
    show("settings", &Ok("every variable is known and right".to_owned()));
    let found = crate::check::check(&settings, &site.apps).await;
    found.iter().for_each(|finding| show(finding.what, &finding.result));
    match found.iter().filter(|finding| finding.result.is_err()).count() {
        0 => Ok(()),
        1 => anyhow::bail!("one thing is wrong"),
        wrong => anyhow::bail!("{wrong} things are wrong"),
    }
}

pub(crate) fn show(what: &str, result: &Result<String, String>) {
    match result {
        Ok(how) => say(format_args!("OK     {what}: {how}")),
        Err(wrong) => say(format_args!("WRONG  {what}: {wrong}")),
    }
}
