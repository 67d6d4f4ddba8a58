//! Deterministic mutation of bytes for the fuzz tests: the same seed always produces the same
//! bytes.

use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::run_size::report_figure;

/// A seeded pseudo-random generator (SplitMix64).
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        let mut dice = Self(seed);
        dice.number(); // consecutive seeds start with similar numbers
        dice
    }

    pub(crate) fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `most`, which is at least 1.
    pub(crate) fn below(&mut self, most: usize) -> usize {
        usize::try_from(self.number() % most.max(1) as u64).unwrap()
    }

    pub(crate) fn one_in(&mut self, many: usize) -> bool {
        self.below(many) == 0
    }

    pub(crate) fn pick<'a, T: ?Sized>(&mut self, of: &[&'a T]) -> &'a T {
        of[self.below(of.len())]
    }

    /// The range of a short piece of a sequence of this length.
    pub(crate) fn piece(&mut self, length: usize) -> Range<usize> {
        let start = self.below(length + 1);
        start..start + self.below((length - start).min(40) + 1)
    }

    pub(crate) fn bytes(&mut self, most: usize) -> Vec<u8> {
        (0..=self.below(most)).map(|_| self.number().to_le_bytes()[0]).collect()
    }
}

/// Byte sequences that are special to many parsers.
const TOKENS: &[&[u8]] = &[
    b"\0",
    b"\r\n",
    b"\n",
    b"\r\n\r\n",
    b"\r",
    b" ",
    b"\t",
    b"%",
    b"%00",
    b"%2e%2e%2f",
    b"%ff",
    b"%25",
    b"%0d%0a",
    b"+",
    b"&",
    b"=",
    b";",
    b":",
    b"\"",
    b"<b>",
    b"\xff",
    b"\xc3\x28",
    b"\xed\xa0\x80",
    b"\xe2\x80\xae",
    b"\xf0\x9f\x94\x94",
    b"/../",
    b"//",
    b"?",
    b"#",
    b"-1",
    b"0",
    b"18446744073709551616",
    b"999999999",
    b"\x7f",
];

/// Changes a few bytes.
pub(crate) fn noise(bytes: &mut Vec<u8>, dice: &mut Dice) {
    let at = dice.below(bytes.len() + 1);
    match dice.below(8) {
        0 if at < bytes.len() => bytes[at] ^= 1 << dice.below(8),
        1 if at < bytes.len() => bytes[at] = dice.number().to_le_bytes()[0],
        2 => bytes.truncate(at),
        3 => drop(bytes.drain(dice.piece(bytes.len()))),
        4 => {
            let again = bytes[dice.piece(bytes.len())].to_vec();
            drop(bytes.splice(at..at, again));
        }
        5 => drop(bytes.splice(at..at, dice.bytes(12))),
        6 => {
            let many =
                vec![*dice.pick(&[&b'a', &b'%', &b'\xff', &b' ', &b'[']); 1 << dice.below(14)];
            drop(bytes.splice(at..at, many));
        }
        _ => drop(bytes.splice(at..at, dice.pick(TOKENS).iter().copied())),
    }
}

/// The number of seeds unless the environment requests more, and the minimum number of seeds before
/// memory is measured.
#[derive(Clone, Copy)]
pub(crate) struct Share {
    pub(crate) usual: u64,
    pub(crate) warm_up: u64,
}

/// The seeds to run: `usual` many, the number in `BELLWIRE_TEST_MUTATIONS`, or only the seed in
/// `BELLWIRE_TEST_SEED`.
pub(crate) fn seeds(usual: u64) -> Range<u64> {
    let number_in = |name| std::env::var(name).ok().map(|number| number.parse::<u64>().unwrap());
    match number_in("BELLWIRE_TEST_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number_in("BELLWIRE_TEST_MUTATIONS").unwrap_or(usual),
    }
}

/// The seeds to run before memory is measured, so that caches are full: at least `least`, or a
/// fifth of the measured seeds. A single seed needs none.
pub(crate) fn warm_up(seeds: &Range<u64>, least: u64) -> Range<u64> {
    let first = 1_000_000_000; // differs from the measured seeds
    match seeds.end - seeds.start {
        0 | 1 => first..first,
        many => first..first + least.max(many / 5),
    }
}

/// Splits the seeds into four waves. A single seed is one wave.
pub(crate) fn waves(seeds: &Range<u64>) -> impl Iterator<Item = Range<u64>> {
    let (first, end) = (seeds.start, seeds.end);
    let each = (end - first).div_ceil(4).max(1);
    (first..end)
        .step_by(usize::try_from(each).unwrap())
        .map(move |start| start..end.min(start + each))
}

/// The deadline of a run, or `None` if the environment requests seeds explicitly. `seconds` is a
/// part of the minute that a test may take.
pub(crate) fn deadline(seconds: u64) -> Option<Instant> {
    let is_requested = ["BELLWIRE_TEST_SEED", "BELLWIRE_TEST_MUTATIONS"]
        .iter()
        .any(|name| std::env::var(name).is_ok());
    (!is_requested).then(|| Instant::now() + Duration::from_secs(seconds))
}

/// The number of seeds that run regardless of the deadline.
const MIN_SEEDS: u64 = 100;

/// Runs `case` for every seed, or for as many as the time allows but at least [`MIN_SEEDS`], on
/// several threads. Each thread has a worker made by `begin`. The first failure ends the run and is
/// reported with its seed. Returns the number of seeds that ran.
pub(crate) fn try_all<W>(
    seeds: Range<u64>,
    workers: usize,
    until: Option<Instant>,
    begin: impl Fn(usize) -> W + Sync,
    case: impl Fn(&mut W, u64) -> Result<(), String> + Sync,
) -> u64 {
    let (next, tried, finished) =
        (AtomicU64::new(seeds.start), AtomicU64::new(0), AtomicBool::new(false));
    let failures = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for number in 0..workers {
            let (next, tried, finished, failures, begin, case) =
                (&next, &tried, &finished, &failures, &begin, &case);
            scope.spawn(move || {
                let mut worker = begin(number);
                while !finished.load(Ordering::SeqCst) {
                    let seed = next.fetch_add(1, Ordering::SeqCst);
                    let is_late = until.is_some_and(|until| Instant::now() >= until);
                    if seed >= seeds.end || (is_late && seed - seeds.start >= MIN_SEEDS) {
                        return;
                    }
                    tried.fetch_add(1, Ordering::SeqCst);
                    if let Err(what) = case(&mut worker, seed) {
                        finished.store(true, Ordering::SeqCst);
                        failures.lock().unwrap().push(format!("BELLWIRE_TEST_SEED={seed}: {what}"));
                    }
                }
            });
        }
    });
    let failures = failures.into_inner().unwrap();
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
    tried.into_inner()
}

/// Reports to `bin/test` how many of the seeds ran.
pub(crate) fn report_tried(what: &str, tried: u64, seeds: &Range<u64>) {
    let number = |number: u64| usize::try_from(number).unwrap();
    report_figure(what, number(tried), number(seeds.end - seeds.start));
}

/// The anonymous resident memory of a process, in KiB.
pub(crate) fn memory(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}
