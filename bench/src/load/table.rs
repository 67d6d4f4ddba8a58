//! Markdown tables of the figures, with a description of the machine.

use std::fmt::Write as _;
use std::fs;
use std::process::Command;
use std::time::Duration;

use crate::cases::Case;
use crate::history::{self, LONG, Request, SHORT};
use crate::rounds::{Compared, Figures, TURN};
use crate::start::Start;

pub(crate) fn delivery(
    measured: &[(Case, Figures)],
    (framework, bound): (f64, f64),
    start: Start,
    rounds: usize,
    time: Duration,
) -> String {
    let mut text = String::from(
        "| rooms × members | CPU/delivery: framework | written together | each by itself | \
         framework ÷ together | deliveries/s: framework | together | each | busy |\n\
         |---|--:|--:|--:|--:|--:|--:|--:|--:|\n",
    );
    for (case, figures) in measured {
        let (ours, together, each) = (figures.framework, figures.together, figures.each);
        let [low, middle, high] = figures.cpu_ratio;
        let _ = writeln!(
            text,
            "| {case} | {:.2} µs | {:.2} µs | {:.2} µs | **{middle:.2}** ({low:.2}–{high:.2}) | {:.0} k | \
             {:.0} k | {:.0} k | {:.0}, {:.0}, {:.0} % |",
            ours.cpu,
            together.cpu,
            each.cpu,
            ours.rate / 1e3,
            together.rate / 1e3,
            each.rate / 1e3,
            ours.busy * 100.0,
            together.busy * 100.0,
            each.busy * 100.0,
        );
    }
    let _ = writeln!(
        text,
        "\nMemory per idle socket in a room, user space: framework {framework:.1} KiB, bound \
         {bound:.1} KiB.\n\n\
         The site answers its first page {:.0} ms after a start with a new database, {:.0} ms with \
         an existing one. Idle, it uses {:.1} MB of private memory, {:.1} MB resident with the \
         pages of its program file.\n\n\
         Medians of {rounds} rounds of {} s for each server, in turns of {} ms. Each round starts \
         new servers, with one thread each. The ratio is taken within the same three turns, with \
         its quartiles. Texts of 64 bytes, numbered patches in the htmx dialect, the same bytes \
         from all servers. Every receipt of every member was checked: once, in order, byte for \
         byte. *In flight*: the number of incomplete messages of a room. *Busy*: the fraction of \
         the time that the server's core was busy.\n\n{}",
        start.first.as_secs_f64() * 1e3,
        start.again.as_secs_f64() * 1e3,
        start.own / 1024.0,
        start.resident / 1024.0,
        time.as_secs(),
        TURN.as_millis(),
        machine()
    );
    text
}

pub(crate) fn against(
    measured: &[(Case, Compared)],
    (now, before): (f64, f64),
    turns: usize,
) -> String {
    let mut text = String::from(
        "| rooms × members | CPU/delivery: now | before | now ÷ before |\n|---|--:|--:|--:|\n",
    );
    for (case, Compared { framework, against, ratio: [low, middle, high] }) in measured {
        let _ = writeln!(
            text,
            "| {case} | {framework:.2} µs | {against:.2} µs | **{middle:.3}** ({low:.2}–{high:.2}) |"
        );
    }
    let highest = measured.iter().map(|(_, compared)| compared.ratio[1]).fold(f64::NAN, f64::max);
    let _ = writeln!(
        text,
        "\nThe highest median ratio is {highest:.3}.\n\n\
         Memory per idle socket in a room, user space: now {now:.1} KiB, before {before:.1} KiB.\n\n\
         {turns} turns of {} ms for each program and case, in both orders, with new servers after \
         every tenth. The ratio is taken within each pair of turns: its median, with its \
         quartiles. Every receipt was checked, as in delivery.md.\n\n{}",
        TURN.as_millis(),
        machine()
    );
    text
}

pub(crate) fn rooms(
    measured: &[(Request, history::Figures)],
    rounds: usize,
    time: Duration,
) -> String {
    let (short, long) = (thousands(SHORT), thousands(LONG));
    let mut text = format!(
        "| request | CPU: {short} | {long} | {long} ÷ {short} | wall p50: {short} | {long} |\n\
         |---|--:|--:|--:|--:|--:|\n"
    );
    for (request, figures) in measured {
        let _ = writeln!(
            text,
            "| {request} | {:.0} µs | {:.0} µs | **{:.2}** | {:.0} µs | {:.0} µs |",
            figures.short.cpu,
            figures.long.cpu,
            figures.ratio,
            figures.short.wall,
            figures.long.wall,
        );
    }
    let _ = writeln!(
        text,
        "\nMedian of {rounds} rounds of {} s for each request and room, in turns. Two sites on SQLite, \
         filled by `bellwire seed`, which differ only in the length of one room. CPU is the \
         processor time of the server's threads for one request, user and kernel. Every response \
         was checked: its status, and exactly the expected messages in order.\n\n{}",
        time.as_secs(),
        machine()
    );
    text
}

fn thousands(number: u64) -> String {
    match number {
        1_000.. => format!("{},{:03}", number / 1_000, number % 1_000),
        _ => number.to_string(),
    }
}

fn machine() -> String {
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu.lines().find(|line| line.starts_with("model name"));
    let model = model.and_then(|line| line.split(": ").nth(1)).unwrap_or("unknown processor");
    let cores = cpu.lines().filter(|line| line.starts_with("processor")).count();
    let memory = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let memory = memory
        .split_whitespace()
        .nth(1)
        .and_then(|kib| kib.parse::<f64>().ok())
        .unwrap_or_default();
    let gib = memory / 1024.0 / 1024.0;
    format!(
        "Machine: {model}, {cores} cores, {gib:.0} GiB; {}; {}.\n",
        output_of("uname", "-sr"),
        output_of("rustc", "-V")
    )
}

fn output_of(program: &str, argument: &str) -> String {
    let output = Command::new(program).arg(argument).output();
    output
        .map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned())
        .unwrap_or_default()
}
