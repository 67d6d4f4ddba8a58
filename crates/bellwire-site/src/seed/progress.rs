//! Progress output of long commands, for a terminal.

use std::fmt::{self, Display};
use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

/// The minimum interval between updates of the counter line.
const EVERY: Duration = Duration::from_millis(100);

/// Prints one line per finished step, and a counter within a step.
pub struct Progress {
    to: Option<Box<dyn Write + Send>>,
    /// The start of the step, and the time when its counter was last written.
    begun: Instant,
    written: Option<Instant>,
}

impl Progress {
    /// Writes to standard error if it is a terminal, and otherwise nowhere.
    pub fn on_terminal() -> Self {
        match std::io::stderr().is_terminal() {
            true => Self::to(std::io::stderr()),
            false => Self::quiet(),
        }
    }

    /// Writes nothing.
    pub fn quiet() -> Self {
        Self { to: None, begun: Instant::now(), written: None }
    }

    /// Writes to `writer`.
    pub fn to(writer: impl Write + Send + 'static) -> Self {
        Self { to: Some(Box::new(writer)), ..Self::quiet() }
    }

    /// Updates the counter of the current step: `done` of `of`.
    pub fn at(&mut self, what: impl Display, done: u64, of: u64) {
        if self.written.is_some_and(|written| written.elapsed() < EVERY) {
            return;
        }
        let seconds = self.begun.elapsed().as_secs_f64().max(0.001);
        let rate = done as f64 / seconds;
        self.write(format_args!("\r  {what}: {done} of {of} ({rate:.0} a second)\x1b[K"));
        self.written = Some(Instant::now());
    }

    /// Prints the line of a finished step and starts the next one.
    pub fn done(&mut self, what: impl Display) {
        let clear = if self.written.take().is_some() { "\r\x1b[K" } else { "" };
        self.write(format_args!("{clear}  {what}\n"));
        self.begun = Instant::now();
    }

    /// Ignores errors, because a closed terminal must not stop the command.
    fn write(&mut self, what: fmt::Arguments<'_>) {
        if let Some(to) = &mut self.to {
            let _ = to.write_fmt(what).and_then(|()| to.flush());
        }
    }
}

impl fmt::Debug for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Progress").field("shown", &self.to.is_some()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Terminal(Arc<Mutex<Vec<u8>>>);

    impl Write for Terminal {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn the_line_of_a_step_overwrites_its_counter() {
        let terminal = Terminal::default();
        let mut progress = Progress::to(terminal.clone());
        progress.done("people: 13 new");
        progress.at("hi", 50, 200);
        progress.at("hi", 100, 200); // too soon after the last
        progress.done("hi: 200 new messages");
        let shown = String::from_utf8(terminal.0.lock().unwrap().clone()).unwrap();
        let lines: Vec<_> = shown.split('\r').collect();
        assert_eq!(lines[0], "  people: 13 new\n");
        assert!(
            lines[1].starts_with("  hi: 50 of 200 (") && lines[1].ends_with(" a second)\x1b[K"),
            "{shown:?}"
        );
        assert_eq!(lines[2], "\x1b[K  hi: 200 new messages\n");
        assert_eq!(lines.len(), 3, "{shown:?}");
    }
}
