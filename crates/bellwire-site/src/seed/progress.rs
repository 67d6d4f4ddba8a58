//! How far a long work is, for whoever waits at a terminal.

use std::fmt::{self, Display};
use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

/// The line that counts is written no more often than this.
const EVERY: Duration = Duration::from_millis(100);

/// Tells one line for each step that is done, and counts within a step.
pub struct Progress {
    to: Option<Box<dyn Write + Send>>,
    /// When the step began, and when its count was last written.
    begun: Instant,
    written: Option<Instant>,
}

impl Progress {
    /// To the standard error where that is a terminal, and to nobody otherwise.
    pub fn on_terminal() -> Self {
        match std::io::stderr().is_terminal() {
            true => Self::to(std::io::stderr()),
            false => Self::quiet(),
        }
    }

    /// To nobody.
    pub fn quiet() -> Self {
        Self { to: None, begun: Instant::now(), written: None }
    }

    /// To whoever reads this.
    pub fn to(writer: impl Write + Send + 'static) -> Self {
        Self { to: Some(Box::new(writer)), ..Self::quiet() }
    }

    /// So many of so many are done, in the step that is being done.
    pub fn at(&mut self, what: impl Display, done: u64, of: u64) {
        if self.written.is_some_and(|written| written.elapsed() < EVERY) {
            return;
        }
        let seconds = self.begun.elapsed().as_secs_f64().max(0.001);
        let rate = done as f64 / seconds;
        self.write(format_args!("\r  {what}: {done} of {of} ({rate:.0} a second)\x1b[K"));
        self.written = Some(Instant::now());
    }

    /// A step is done; the next one begins.
    pub fn done(&mut self, what: impl Display) {
        let over = if self.written.take().is_some() { "\r\x1b[K" } else { "" };
        self.write(format_args!("{over}  {what}\n"));
        self.begun = Instant::now();
    }

    /// A terminal that is gone is no reason to stop.
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
    struct Screen(Arc<Mutex<Vec<u8>>>);

    impl Write for Screen {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_count_is_written_over_by_the_line_of_its_step() {
        let screen = Screen::default();
        let mut progress = Progress::to(screen.clone());
        progress.done("people: 13 new");
        progress.at("hi", 50, 200);
        progress.at("hi", 100, 200); // too soon after the last
        progress.done("hi: 200 new messages");
        let shown = String::from_utf8(screen.0.lock().unwrap().clone()).unwrap();
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
