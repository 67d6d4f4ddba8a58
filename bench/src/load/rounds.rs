//! Rounds of turns between the framework and the bounds, or another commit of the framework, and
//! their medians.

use std::time::Duration;

use anyhow::{Context, ensure};

use crate::cases::{CASES, Figure};
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
