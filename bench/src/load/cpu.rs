//! What the kernel says a process used.

use std::fs;

use anyhow::Context;

/// The time its threads ran on a core, user and kernel, in nanoseconds.
pub(crate) fn nanoseconds(process: u32) -> anyhow::Result<u64> {
    let mut total = 0;
    for thread in fs::read_dir(format!("/proc/{process}/task")).context("the server's threads")? {
        let used = fs::read_to_string(thread?.path().join("schedstat")).context("the time of a thread")?;
        total += used.split(' ').next().unwrap_or_default().parse::<u64>().context("the time of a thread")?;
    }
    Ok(total)
}

/// Its memory in KiB: `RssAnon:` is what it shares with no file, `VmRSS:` is everything.
pub(crate) fn memory_kib(process: u32, which: &str) -> anyhow::Result<f64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).context("the server's memory")?;
    let line = status.lines().find_map(|line| line.strip_prefix(which));
    let line = line.with_context(|| format!("no {which}"))?;
    line.trim().trim_end_matches(" kB").parse().context("the server's memory")
}
