//! Rounds of turns between the framework and the bounds, or another commit of the framework, and
//! their medians.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use anyhow::{Context, ensure};

use crate::crowd::Crowd;
use crate::server::Kind;

/// The length of a turn. It is short, so that disturbances of a shared machine mostly affect
/// adjacent turns alike.
pub(crate) const TURN: Duration = Duration::from_millis(200);
/// Warm-up before the first turn, for memory growth and one-time initialization.
const FIRST: Duration = Duration::from_millis(500);

/// The order of the servers, and of their memory allocation, changes results by two or three
/// percent. So every order is used.
const ORDERS_OF_THREE: [[usize; 3]; 6] =
    [[0, 1, 2], [1, 2, 0], [2, 0, 1], [0, 2, 1], [2, 1, 0], [1, 0, 2]];
const ORDERS_OF_TWO: [[usize; 2]; 2] = [[0, 1], [1, 0]];

/// Number of turns after which both servers of a comparison with another commit are restarted.
const TURNS_OF_A_PAIR: usize = 10;

/// The measured cases: rooms, members of each, and messages in flight in each room.
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

/// A measured case.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Case {
    pub(crate) rooms: u32,
    pub(crate) members: usize,
    pub(crate) in_flight: u64,
    /// Whether to send requests with a reply to the sender only, instead of messages to all.
    pub(crate) replies: bool,
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.replies {
            true => write!(f, "request–reply, {} sockets", self.rooms),
            false => write!(f, "{} × {}", self.rooms, self.members),
        }?;
        write!(f, ", {} in flight", self.in_flight)
    }
}

/// The result of one turn, or the median of several.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Figure {
    /// Processor time of the server for each delivery, user and kernel, in µs.
    pub(crate) cpu: f64,
    /// Deliveries per second.
    pub(crate) rate: f64,
    /// The fraction of the time that the server's core was busy.
    pub(crate) busy: f64,
}

/// The format that a crowd process prints.
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
    /// The bound with one write for all pending frames, and the bound with a write for each frame.
    pub(crate) together: Figure,
    pub(crate) each: Figure,
    /// Quartiles of the ratio of processor time within each turn, framework to `together`.
    pub(crate) cpu_ratio: [f64; 3],
}

/// The framework's median processor time for a delivery, in µs, and that of another commit.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Compared {
    pub(crate) framework: f64,
    pub(crate) against: f64,
    /// Quartiles of the ratio within each turn, `framework` to `against`.
    pub(crate) ratio: [f64; 3],
}

/// Compares the framework with the bounds in one case. Each round starts a new server of every kind
/// and runs each for `seconds`, in turns.
pub(crate) fn compare_with_bounds(
    case: usize,
    rounds: usize,
    seconds: Duration,
) -> anyhow::Result<Figures> {
    let turns = (seconds.as_millis() / TURN.as_millis()) as usize;
    ensure!(turns > 0, "the time is too short for a turn");
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

/// Compares the framework with another commit in one case: `turns` turns each, with new servers
/// after every tenth.
pub(crate) fn compare_with_commit(case: usize, turns: usize) -> anyhow::Result<Compared> {
    ensure!(turns > 0, "expected at least one turn");
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

/// A round: new servers, and their turns.
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
        let start = |kind| {
            Crowd::start(kind, case).with_context(|| format!("the server `{}`", kind.name()))
        };
        let mut crowds = kinds.map(|_| None);
        for server in orders[number % orders.len()] {
            crowds[server].insert(start(kinds[server])?).turn(FIRST)?;
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
