//! Rounds: framework, bound, framework, bound …, and their medians. The other side may also be the
//! framework of another commit.

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

/// Who comes after whom, and who takes its memory first, makes two or three percent: every order
/// has its turn.
const ORDERS_OF_THREE: [[usize; 3]; 6] =
    [[0, 1, 2], [1, 2, 0], [2, 0, 1], [0, 2, 1], [2, 1, 0], [1, 0, 2]];
const ORDERS_OF_TWO: [[usize; 2]; 2] = [[0, 1], [1, 0]];

/// How many turns fresh servers of a comparison with another commit have, before they are replaced
/// by new ones.
const TURNS_OF_A_PAIR: usize = 10;

/// What is measured: rooms, members in each, and how many messages of a room are on their way at
/// once.
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
    /// The turns' own ratios of processor time, framework to `together`: quartiles, with the median
    /// in the middle.
    pub(crate) cpu_ratio: [f64; 3],
}

/// The framework's median processor time for a delivery, in µs, and that of another commit.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Compared {
    pub(crate) framework: f64,
    pub(crate) against: f64,
    /// The turns' own ratios, `framework` to `against`: quartiles, with the median in the middle.
    pub(crate) ratio: [f64; 3],
}

/// Runs the rounds of one case beside the bounds: in each, a fresh server of every kind speaks for
/// so long, in turns with the others.
pub(crate) fn beside_bounds(
    case: usize,
    rounds: usize,
    seconds: Duration,
) -> anyhow::Result<Figures> {
    let turns = (seconds.as_millis() / TURN.as_millis()) as usize;
    ensure!(turns > 0, "no time for a turn");
    let round = |number| Round { case, number, rounds, turns };
    let [framework, together, each] =
        interleaved(Kind::WITH_BOUNDS, &ORDERS_OF_THREE, (1..=rounds).map(round))?;
    Ok(Figures {
        cpu_ratio: ratios(&framework, &together),
        framework: medians(&framework),
        together: medians(&together),
        each: medians(&each),
    })
}

/// Compares the framework with another commit's in one case: so many turns each, with fresh servers
/// after every tenth.
pub(crate) fn beside_another_commit(case: usize, turns: usize) -> anyhow::Result<Compared> {
    ensure!(turns > 0, "no turn");
    let rounds = turns.div_ceil(TURNS_OF_A_PAIR);
    let turns_of = |number| TURNS_OF_A_PAIR.min(turns - (number - 1) * TURNS_OF_A_PAIR);
    let round = |number| Round { case, number, rounds, turns: turns_of(number) };
    let [framework, against] =
        interleaved(Kind::WITH_AGAINST, &ORDERS_OF_TWO, (1..=rounds).map(round))?;
    Ok(Compared {
        ratio: ratios(&framework, &against),
        framework: medians(&framework).cpu,
        against: medians(&against).cpu,
    })
}

/// Fresh servers and the turns they take.
struct Round {
    case: usize,
    /// From 1.
    number: usize,
    rounds: usize,
    turns: usize,
}

/// Runs rounds of one case. Returns the figures of each kind, turn by turn.
fn interleaved<const N: usize>(
    kinds: [Kind; N],
    orders: &[[usize; N]],
    rounds: impl Iterator<Item = Round>,
) -> anyhow::Result<[Vec<Figure>; N]> {
    let mut figures = kinds.map(|_| Vec::new());
    for Round { case, number, rounds, turns } in rounds {
        eprintln!("{}: round {number} of {rounds}", CASES[case]);
        let gather = |kind| {
            Crowd::gather(kind, case).with_context(|| format!("the server `{}`", kind.name()))
        };
        let mut crowds = kinds.map(|_| None);
        for server in orders[number % orders.len()] {
            crowds[server].insert(gather(kinds[server])?).turn(FIRST)?;
        }
        for turn in 0..turns {
            for server in orders[((number - 1) * turns + turn) % orders.len()] {
                let crowd = crowds[server].as_mut().context("a crowd")?;
                figures[server].push(crowd.turn(TURN)?);
            }
        }
    }
    Ok(figures)
}

fn ratios(ours: &[Figure], theirs: &[Figure]) -> [f64; 3] {
    quartiles(ours.iter().zip(theirs).map(|(a, b)| a.cpu / b.cpu).collect())
}

fn medians(figures: &[Figure]) -> Figure {
    let of = |pick: fn(&Figure) -> f64| quartiles(figures.iter().map(pick).collect())[1];
    Figure {
        cpu: of(|figure| figure.cpu),
        rate: of(|figure| figure.rate),
        busy: of(|figure| figure.busy),
    }
}

fn quartiles(mut values: Vec<f64>) -> [f64; 3] {
    values.sort_by(f64::total_cmp);
    [1, 2, 3].map(|quarter| values.get(values.len() * quarter / 4).copied().unwrap_or(f64::NAN))
}
