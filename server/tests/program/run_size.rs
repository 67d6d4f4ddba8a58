//! Repetitions of the tests that could run for hours. A normal run is limited by time, so that a
//! slow machine does less. A number in the environment requests exactly that many repetitions, as
//! `bin/test --long` does.

use std::io::Write;
use std::time::{Duration, Instant};

/// A number of repetitions and their time limit.
pub(crate) struct Size {
    pub(crate) number: usize,
    until: Option<Instant>,
}

impl Size {
    /// The number in `variable`, without a time limit, or `default` repetitions within `time`.
    pub(crate) fn new(default: usize, time: Duration, variable: &str) -> Self {
        match number_in(variable) {
            Some(number) => Self { number, until: None },
            None => Self { number: default, until: Some(Instant::now() + time) },
        }
    }

    pub(crate) fn is_used_up(&self) -> bool {
        self.until.is_some_and(|until| Instant::now() >= until)
    }
}

/// The number in this environment variable.
pub(crate) fn number_in(variable: &str) -> Option<usize> {
    std::env::var(variable).ok().map(|number| number.parse().unwrap())
}

/// Reports to `bin/test` how many of the intended repetitions were done.
pub(crate) fn report_figure(what: &str, done: usize, intended: usize) {
    let Some(file) = std::env::var_os("BELLWIRE_TEST_FIGURES") else { return };
    let file = std::fs::OpenOptions::new().create(true).append(true).open(file);
    file.unwrap().write_all(format!("{what}\t{done}\t{intended}\n").as_bytes()).unwrap();
}
