//! What the kernel says a process used.

use std::collections::HashMap;
use std::ffi::OsString;
use std::fs;

use anyhow::Context;

/// The time its threads ran on a core, user and kernel, in nanoseconds.
pub(crate) fn nanoseconds(process: u32) -> anyhow::Result<u64> {
    let mut total = 0;
    for thread in fs::read_dir(format!("/proc/{process}/task")).context("the server's threads")? {
        let used =
            fs::read_to_string(thread?.path().join("schedstat")).context("the time of a thread")?;
        total += used
            .split(' ')
            .next()
            .unwrap_or_default()
            .parse::<u64>()
            .context("the time of a thread")?;
    }
    Ok(total)
}

/// What each thread of a process has run so far, in nanoseconds. A thread that is gone at the next
/// look was idle before: nothing of what was measured went with it.
pub(crate) struct Threads(HashMap<OsString, u64>);

impl Threads {
    pub(crate) fn of(process: u32) -> anyhow::Result<Self> {
        let mut threads = HashMap::new();
        for thread in
            fs::read_dir(format!("/proc/{process}/task")).context("the server's threads")?
        {
            let thread = thread?;
            // One may end between the list and the look.
            let Ok(used) = fs::read_to_string(thread.path().join("schedstat")) else { continue };
            let used = used
                .split(' ')
                .next()
                .unwrap_or_default()
                .parse()
                .context("the time of a thread")?;
            threads.insert(thread.file_name(), used);
        }
        Ok(Self(threads))
    }

    /// How much longer they ran than `before`.
    pub(crate) fn nanoseconds_since(&self, before: &Self) -> u64 {
        let since = |(id, used): (&OsString, &u64)| {
            used - before.0.get(id).copied().unwrap_or(0).min(*used)
        };
        self.0.iter().map(since).sum()
    }
}

/// Its memory in KiB: `RssAnon:` is what it shares with no file, `VmRSS:` is everything.
pub(crate) fn memory_kib(process: u32, which: &str) -> anyhow::Result<f64> {
    let status =
        fs::read_to_string(format!("/proc/{process}/status")).context("the server's memory")?;
    let line = status.lines().find_map(|line| line.strip_prefix(which));
    let line = line.with_context(|| format!("no {which}"))?;
    line.trim().trim_end_matches(" kB").parse().context("the server's memory")
}
