//! Rounds: framework, bound, framework, bound …, and their medians.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use anyhow::{Context, ensure};

use crate::crowd::Crowd;
use crate::server::Kind;

/// How long a turn is. What a shared machine does to one it does to the next as well, mostly.
pub(crate) const TURN: Duration = Duration::from_millis(200);
/// What comes before the first turn: memory grows, and what is made once is made.
const FIRST: Duration = Duration::from_millis(500);

/// Who comes after whom, and who takes its memory first, makes two or three percent: every order of [`Kind::ALL`] has its turn.
const ORDERS: [[usize; 3]; 6] = [[0, 1, 2], [1, 2, 0], [2, 0, 1], [0, 2, 1], [2, 1, 0], [1, 0, 2]];

/// What is measured: rooms, members in each, and how many messages of a room are on their way at once.
pub(crate) const CASES: [Case; 8] = [
    in_rooms(1, 100, 1),
    in_rooms(1, 100, 4),
    in_rooms(1, 1_000, 1),
    in_rooms(1, 1_000, 4),
    in_rooms(1, 10_000, 1),
    in_rooms(1, 10_000, 4),
    in_rooms(100, 10, 4),
    Case { rooms: 64, members: 1, in_flight: 1, replies: true },
];

const fn in_rooms(rooms: u32, members: usize, in_flight: u64) -> Case {
    Case { rooms, members, in_flight, replies: false }
}

/// What is measured.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Case {
    pub(crate) rooms: u32,
    pub(crate) members: usize,
    pub(crate) in_flight: u64,
    /// Asks that are answered to the asker alone, instead of messages to all.
    pub(crate) replies: bool,
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.replies {
            true => write!(f, "request–reply, {} sockets", self.rooms),
            false => write!(f, "{} × {}", self.rooms, self.members),
        }?;
        write!(f, ", {} on the way", self.in_flight)
    }
}

/// What one turn, or the median of several, showed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Figure {
    /// Processor time of the server for each delivery, user and kernel, in µs.
    pub(crate) cpu: f64,
    /// Deliveries a second.
    pub(crate) rate: f64,
    /// Which part of the time the server's core was busy.
    pub(crate) busy: f64,
}

/// As a crowd says it.
impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.cpu, self.rate, self.busy)
    }
}

impl FromStr for Figure {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        let mut numbers = text.split(' ').map(str::parse::<f64>);
        let mut next = || numbers.next().context("a figure has three numbers")?.context("a figure");
        Ok(Self { cpu: next()?, rate: next()?, busy: next()? })
    }
}

/// The servers' medians.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Figures {
    pub(crate) framework: Figure,
    /// The bound whose waiting frames leave together, and the one with a write for each.
    pub(crate) together: Figure,
    pub(crate) each: Figure,
    /// The turns' own ratios of processor time, framework to `together`: quartiles, with the median in the middle.
    pub(crate) cpu_ratio: [f64; 3],
}

/// Runs the rounds of one case: in each, a fresh server of every kind speaks for so long, in turns with the others.
pub(crate) fn interleaved(case: usize, rounds: usize, seconds: Duration) -> anyhow::Result<Figures> {
    let mut figures = Kind::ALL.map(|_| Vec::new());
    let turns = (seconds.as_millis() / TURN.as_millis()) as usize;
    ensure!(turns > 0, "no time for a turn");
    for round in 1..=rounds {
        eprintln!("{}: round {round} of {rounds}", CASES[case]);
        let gather =
            |kind| Crowd::gather(kind, case).with_context(|| format!("the server `{}`", kind.name()));
        let mut crowds = Kind::ALL.map(|_| None);
        for server in ORDERS[round % ORDERS.len()] {
            crowds[server].insert(gather(Kind::ALL[server])?).turn(FIRST)?;
        }
        for turn in (0..turns).map(|turn| (round - 1) * turns + turn) {
            for server in ORDERS[turn % ORDERS.len()] {
                let crowd = crowds[server].as_mut().context("a crowd")?;
                figures[server].push(crowd.turn(TURN)?);
            }
        }
    }
    let [framework, together, each] = figures;
    let ratios = framework.iter().zip(&together).map(|(a, b)| a.cpu / b.cpu).collect();
    Ok(Figures {
        cpu_ratio: quartiles(ratios),
        framework: medians(&framework),
        together: medians(&together),
        each: medians(&each),
    })
}

fn medians(figures: &[Figure]) -> Figure {
    let of = |pick: fn(&Figure) -> f64| quartiles(figures.iter().map(pick).collect())[1];
    Figure { cpu: of(|figure| figure.cpu), rate: of(|figure| figure.rate), busy: of(|figure| figure.busy) }
}

fn quartiles(mut values: Vec<f64>) -> [f64; 3] {
    values.sort_by(f64::total_cmp);
    [1, 2, 3].map(|quarter| values.get(values.len() * quarter / 4).copied().unwrap_or(f64::NAN))
}
