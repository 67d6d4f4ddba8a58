//! The figures, and the machine they were taken on, as a page of Markdown.

use std::fmt::Write as _;
use std::fs;
use std::process::Command;
use std::time::Duration;

use crate::rounds::{Case, Figures};

pub(crate) fn render(
    measured: &[(Case, Figures)],
    (framework, bound): (f64, f64),
    rounds: usize,
    time: Duration,
) -> String {
    let mut text = String::from(
        "| rooms × members | on their way | CPU/delivery, framework | bound | ratio | deliveries/s, framework | bound | ratio | busy |\n\
         |---|--:|--:|--:|--:|--:|--:|--:|--:|\n",
    );
    for (case, figures) in measured {
        let (a, b) = (figures.framework, figures.bound);
        let _ = writeln!(
            text,
            "| {} × {} | {} | {:.2} µs | {:.2} µs | {:.2} | {:.0} k | {:.0} k | {:.2} | {:.0} %, {:.0} % |",
            case.rooms,
            case.members,
            case.in_flight,
            a.cpu,
            b.cpu,
            figures.cpu_ratio,
            a.rate / 1e3,
            b.rate / 1e3,
            a.rate / b.rate,
            a.busy * 100.0,
            b.busy * 100.0,
        );
    }
    let _ = writeln!(
        text,
        "\nMemory per idle socket in a room, user space: framework {framework:.1} KiB, bound {bound:.1} KiB.\n\n\
         Median of {rounds} rounds of {} s, framework and bound in turns, each round on a fresh server; one thread a server. \
         Texts of 64 bytes, numbered patches in the htmx dialect, the same bytes from both. Every member's every receipt was \
         checked: once, in order, to the byte. *On their way*: how many messages of a room are under way at once. *Busy*: the \
         part of the time in which the server's core (framework, bound) was.\n\n{}",
        time.as_secs(),
        machine()
    );
    text
}

fn machine() -> String {
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu.lines().find(|line| line.starts_with("model name"));
    let model = model.and_then(|line| line.split(": ").nth(1)).unwrap_or("unknown processor");
    let cores = cpu.lines().filter(|line| line.starts_with("processor")).count();
    let memory = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let memory = memory.split_whitespace().nth(1).and_then(|kib| kib.parse::<f64>().ok()).unwrap_or_default();
    let gib = memory / 1024.0 / 1024.0;
    format!(
        "Machine: {model}, {cores} cores, {gib:.0} GiB; {}; {}.\n",
        said_by("uname", "-sr"),
        said_by("rustc", "-V")
    )
}

fn said_by(program: &str, argument: &str) -> String {
    let output = Command::new(program).arg(argument).output();
    output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default()
}
