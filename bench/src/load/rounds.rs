//! Rounds: framework, bound, framework, bound …, each on a fresh server, and their medians.

use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use tokio::task::{LocalSet, spawn_local};

use crate::cpu;
use crate::member::Member;
use crate::room::{Room, Shared};
use crate::server::{Kind, Server};

/// How long the servers run before the clock does.
const WARM_UP: Duration = Duration::from_millis(500);
/// How long the last messages may take to arrive.
const DRAIN: Duration = Duration::from_secs(10);
/// How many sockets are opened for the measurement of memory, spread over rooms of this size.
const IDLE: usize = 2_000;
const IDLE_IN_A_ROOM: usize = 20;

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

/// What one round, or the median of several, showed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Figure {
    /// Processor time of the server for each delivery, user and kernel, in µs.
    pub(crate) cpu: f64,
    /// Deliveries a second.
    pub(crate) rate: f64,
    /// Which part of the time the server's core was busy.
    pub(crate) busy: f64,
}

/// The servers' medians.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Figures {
    pub(crate) framework: Figure,
    /// The bound whose waiting frames leave together, and the one with a write for each.
    pub(crate) together: Figure,
    pub(crate) each: Figure,
    /// The median of the rounds' own ratios of processor time, framework to `together`.
    pub(crate) cpu_ratio: f64,
}

/// Runs the rounds of one case in turns.
pub(crate) async fn interleaved(case: Case, rounds: usize, seconds: Duration) -> anyhow::Result<Figures> {
    let (mut framework, mut together, mut each) = (Vec::new(), Vec::new(), Vec::new());
    for round in 1..=rounds {
        eprintln!("{case}: round {round} of {rounds}");
        framework.push(one_round(Kind::Framework, case, seconds).await.context("the framework")?);
        together.push(one_round(Kind::Together, case, seconds).await.context("the bound, together")?);
        each.push(one_round(Kind::Each, case, seconds).await.context("the bound, each")?);
    }
    let ratios = framework.iter().zip(&together).map(|(a, b)| a.cpu / b.cpu).collect();
    Ok(Figures {
        cpu_ratio: median(ratios),
        framework: medians(&framework),
        together: medians(&together),
        each: medians(&each),
    })
}

async fn one_round(kind: Kind, case: Case, seconds: Duration) -> anyhow::Result<Figure> {
    let server = Server::start(kind)?;
    let failure = Rc::new(RefCell::new(None));
    let round = async {
        let rooms = people(&server, case, &failure).await?;
        tokio::time::sleep(WARM_UP).await;
        let before = (Instant::now(), cpu::nanoseconds(server.process())?, deliveries(&rooms));
        tokio::time::sleep(seconds).await;
        let after = (Instant::now(), cpu::nanoseconds(server.process())?, deliveries(&rooms));
        everybody_has_everything(&rooms, &failure).await?;
        let (time, cpu) = ((after.0 - before.0).as_secs_f64(), (after.1 - before.1) as f64);
        let delivered = (after.2 - before.2) as f64;
        ensure!(delivered > 0.0, "nothing was delivered");
        Ok(Figure { cpu: cpu / 1e3 / delivered, rate: delivered / time, busy: cpu / 1e9 / time })
    };
    LocalSet::new().run_until(round).await
}

type Failure = Rc<RefCell<Option<anyhow::Error>>>;

/// Fills the rooms, and lets the first member of each speak.
async fn people(server: &Server, case: Case, failure: &Failure) -> anyhow::Result<Vec<Shared>> {
    let mut rooms = Vec::new();
    for number in 0..case.rooms {
        let room = Room::new(number, case);
        let mut speaker = None;
        for _ in 0..case.members {
            let member = Member::join(server.address, number).await?;
            speaker.get_or_insert_with(|| member.stream());
            let (room, failure) = (room.clone(), failure.clone());
            spawn_local(async move {
                if let Err(error) = member.listen(room).await {
                    failure.borrow_mut().get_or_insert(error);
                }
            });
        }
        rooms.push((room, speaker.context("a room without members")?));
    }
    rooms
        .into_iter()
        .map(|(room, speaker)| {
            room.borrow_mut().begin(speaker)?;
            Ok(room)
        })
        .collect()
}

fn deliveries(rooms: &[Shared]) -> u64 {
    rooms.iter().map(|room| room.borrow().deliveries).sum()
}

/// Lets nobody speak any more, and waits for what is on its way. A run that lost or mixed up anything is no result.
async fn everybody_has_everything(rooms: &[Shared], failure: &Failure) -> anyhow::Result<()> {
    rooms.iter().for_each(|room| room.borrow_mut().stop());
    let deadline = Instant::now() + DRAIN;
    while !rooms.iter().all(|room| room.borrow().is_quiet()) {
        if let Some(error) = failure.borrow_mut().take() {
            return Err(error);
        }
        ensure!(Instant::now() < deadline, "messages were lost: some never came");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    match failure.borrow_mut().take() {
        Some(error) => bail!(error),
        None => Ok(()),
    }
}

/// Memory of the framework's and of the bound's process for each socket that is open and silent, in KiB.
pub(crate) async fn memory_per_idle_socket() -> anyhow::Result<(f64, f64)> {
    Ok((memory(Kind::Framework).await?, memory(Kind::Together).await?))
}

async fn memory(kind: Kind) -> anyhow::Result<f64> {
    let server = Server::start(kind)?;
    // The first sockets pay for what is made once.
    let _first = open(&server, 0, IDLE_IN_A_ROOM).await?;
    let before = cpu::memory_kib(server.process(), "RssAnon:")?;
    let _idle = open(&server, 1, IDLE).await?;
    Ok((cpu::memory_kib(server.process(), "RssAnon:")? - before) / IDLE as f64)
}

async fn open(server: &Server, first_room: usize, sockets: usize) -> anyhow::Result<Vec<Member>> {
    let mut members = Vec::with_capacity(sockets);
    for index in 0..sockets {
        let room = u32::try_from(first_room + index / IDLE_IN_A_ROOM)?;
        members.push(Member::join(server.address, room).await?);
    }
    Ok(members)
}

fn medians(figures: &[Figure]) -> Figure {
    let of = |pick: fn(&Figure) -> f64| median(figures.iter().map(pick).collect());
    Figure { cpu: of(|figure| figure.cpu), rate: of(|figure| figure.rate), busy: of(|figure| figure.busy) }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
