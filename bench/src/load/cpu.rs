//! Processor time and memory of a process, from /proc.

use std::collections::HashMap;
use std::ffi::OsString;
use std::fs;

use anyhow::Context;

/// The total processor time of all threads, user and kernel, in nanoseconds.
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

/// The processor time of each thread of a process, in nanoseconds. A thread that has ended before
/// the next sample was idle, so no measured time is lost.
pub(crate) struct Threads(HashMap<OsString, u64>);

impl Threads {
    pub(crate) fn of(process: u32) -> anyhow::Result<Self> {
        let mut threads = HashMap::new();
        for thread in
            fs::read_dir(format!("/proc/{process}/task")).context("the server's threads")?
        {
            let thread = thread?;
            // A thread may end between listing and reading.
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

    /// The processor time since `before`.
    pub(crate) fn nanoseconds_since(&self, before: &Self) -> u64 {
        let since = |(id, used): (&OsString, &u64)| {
            used - before.0.get(id).copied().unwrap_or(0).min(*used)
        };
        self.0.iter().map(since).sum()
    }
}

/// Memory of a process in KiB: `RssAnon:` is anonymous memory, `VmRSS:` all resident memory.
pub(crate) fn memory_kib(process: u32, which: &str) -> anyhow::Result<f64> {
    let status =
        fs::read_to_string(format!("/proc/{process}/status")).context("the server's memory")?;
    let line = status.lines().find_map(|line| line.strip_prefix(which));
    let line = line.with_context(|| format!("no {which}"))?;
    line.trim().trim_end_matches(" kB").parse().context("the server's memory")
}
