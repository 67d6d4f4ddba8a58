//! Sizes of the tests that could go on for hours. A usual run is bounded by time, so that a slow
//! machine does less; a number in the environment asks for exactly that many, as `bin/test --long`
//! does.

use std::io::Write;
use std::time::{Duration, Instant};

/// A number of repetitions and the time they may take.
pub(crate) struct Size {
    pub(crate) number: usize,
    until: Option<Instant>,
}

impl Size {
    /// The number in `variable`, without a bound on time, or `usual` within `time` from now.
    pub(crate) fn of(usual: usize, time: Duration, variable: &str) -> Self {
        match asked(variable) {
            Some(number) => Self { number, until: None },
            None => Self { number: usual, until: Some(Instant::now() + time) },
        }
    }

    pub(crate) fn is_used_up(&self) -> bool {
        self.until.is_some_and(|until| Instant::now() >= until)
    }
}

/// The number in this variable of the environment.
pub(crate) fn asked(variable: &str) -> Option<usize> {
    std::env::var(variable).ok().map(|number| number.parse().unwrap())
}

/// Tells `bin/test` how much of what was intended has been done.
pub(crate) fn tell(what: &str, done: usize, intended: usize) {
    let Some(file) = std::env::var_os("BELLWIRE_TEST_FIGURES") else { return };
    let file = std::fs::OpenOptions::new().create(true).append(true).open(file);
    file.unwrap().write_all(format!("{what}\t{done}\t{intended}\n").as_bytes()).unwrap();
}
