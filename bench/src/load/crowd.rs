//! A server and everybody who is connected to it. Each crowd is a process of its own: several stand
//! beside each other and take turns that are shorter than the moods of a shared machine.

use std::cell::RefCell;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use tokio::task::{LocalSet, spawn_blocking, spawn_local};
use tokio::time::{sleep, timeout};

use crate::cpu;
use crate::member::Member;
use crate::room::{Room, Shared};
use crate::rounds::{CASES, Case, Figure};
use crate::server::{Kind, Server};

/// How long they speak before the clock runs, and how often at least each member hears something
/// meanwhile: what the others' turns pushed out of the processor comes back.
const WARM_UP: Duration = Duration::from_millis(50);
const WARM_UP_MESSAGES: u64 = 2;
/// How long the last messages may take to arrive.
const DRAIN: Duration = Duration::from_secs(10);
/// How long it may take until everybody is there.
const GATHER: Duration = Duration::from_secs(60);
/// What a crowd says when all are there.
const READY: &str = "ready";

/// A crowd, as who gives it its turns sees it.
pub(crate) struct Crowd {
    process: Child,
    /// Its end tells the crowd to go.
    asks: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Crowd {
    /// Starts a server of this kind and waits until everybody is connected.
    pub(crate) fn gather(kind: Kind, case: usize) -> anyhow::Result<Self> {
        let mut process = Command::new(std::env::current_exe()?)
            .args(["crowd", kind.name(), &case.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("a crowd")?;
        let (asks, answers) =
            (process.stdin.take(), process.stdout.take().context("a crowd's output")?);
        let mut crowd = Self { process, asks, answers: BufReader::new(answers) };
        let answer = crowd.answer()?;
        ensure!(answer == READY, "a crowd says {answer:?}");
        Ok(crowd)
    }

    /// Lets it speak for so long.
    pub(crate) fn turn(&mut self, time: Duration) -> anyhow::Result<Figure> {
        let asks = self.asks.as_mut().context("a crowd that was told to go")?;
        writeln!(asks, "{}", time.as_millis())?;
        self.answer()?.parse()
    }

    fn answer(&mut self) -> anyhow::Result<String> {
        let mut line = String::new();
        self.answers.read_line(&mut line).context("a crowd's answer")?;
        ensure!(line.ends_with('\n'), "a crowd ended early");
        Ok(line.trim_end().to_owned())
    }
}

impl Drop for Crowd {
    fn drop(&mut self) {
        self.asks = None;
        // Nothing can be done about a failure here.
        let _ = self.process.wait();
    }
}

/// The crowd's own side: a turn for each line that comes in, which says how many milliseconds it
/// takes, and the figure in a line that goes out.
pub(crate) async fn take_turns(kind: Kind, case: usize) -> anyhow::Result<()> {
    let case = *CASES.get(case).context("no such case")?;
    let server = Server::start(kind)?;
    let failure = Rc::new(RefCell::new(None));
    let turns = async {
        let rooms = timeout(GATHER, people(&server, case, &failure))
            .await
            .context("not everybody came")??;
        say(READY)?;
        while let Some(ask) = next_ask().await? {
            let time = Duration::from_millis(ask.parse().context("the time of a turn")?);
            say(&turn(&server, &rooms, &failure, time).await?.to_string())?;
        }
        Ok(())
    };
    LocalSet::new().run_until(turns).await
}

/// The next line, while everybody goes on listening.
async fn next_ask() -> anyhow::Result<Option<String>> {
    spawn_blocking(|| std::io::stdin().lines().next().transpose()).await?.context("an ask")
}

fn say(line: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush().context("say it")
}

async fn turn(
    server: &Server,
    rooms: &[Shared],
    failure: &Failure,
    time: Duration,
) -> anyhow::Result<Figure> {
    warm_up(rooms, failure).await?;
    let before = (Instant::now(), cpu::nanoseconds(server.process())?, deliveries(rooms));
    sleep(time).await;
    let after = (Instant::now(), cpu::nanoseconds(server.process())?, deliveries(rooms));
    everybody_has_everything(rooms, failure).await?;
    let (time, cpu) = ((after.0 - before.0).as_secs_f64(), (after.1 - before.1) as f64);
    let delivered = (after.2 - before.2) as f64;
    ensure!(delivered > 0.0, "nothing was delivered");
    Ok(Figure { cpu: cpu / 1e3 / delivered, rate: delivered / time, busy: cpu / 1e9 / time })
}

/// Lets everybody speak until the processor has forgotten the others' turns.
async fn warm_up(rooms: &[Shared], failure: &Failure) -> anyhow::Result<()> {
    let enough = deliveries(rooms)
        + WARM_UP_MESSAGES * rooms.iter().map(|room| room.borrow().members()).sum::<u64>();
    rooms.iter().try_for_each(|room| room.borrow_mut().begin())?;
    sleep(WARM_UP).await;
    until(|| deliveries(rooms) >= enough, failure).await
}

type Failure = Rc<RefCell<Option<anyhow::Error>>>;

/// Fills the rooms.
async fn people(server: &Server, case: Case, failure: &Failure) -> anyhow::Result<Vec<Shared>> {
    let mut rooms = Vec::new();
    for number in 0..case.rooms {
        let room = Room::new(number, case);
        for _ in 0..case.members {
            let member = Member::join(server.address, number).await?;
            room.borrow_mut().add(&member);
            let (room, failure) = (room.clone(), failure.clone());
            spawn_local(async move {
                if let Err(error) = member.listen(room).await {
                    failure.borrow_mut().get_or_insert(error);
                }
            });
        }
        rooms.push(room);
    }
    Ok(rooms)
}

fn deliveries(rooms: &[Shared]) -> u64 {
    rooms.iter().map(|room| room.borrow().deliveries).sum()
}

/// Lets nobody speak any more, and waits for what is on its way. A run that lost or mixed up
/// anything is no result.
async fn everybody_has_everything(rooms: &[Shared], failure: &Failure) -> anyhow::Result<()> {
    rooms.iter().for_each(|room| room.borrow_mut().stop());
    until(|| rooms.iter().all(|room| room.borrow().is_quiet()), failure).await
}

async fn until(enough: impl Fn() -> bool, failure: &Failure) -> anyhow::Result<()> {
    let deadline = Instant::now() + DRAIN;
    loop {
        if let Some(error) = failure.borrow_mut().take() {
            return Err(error);
        }
        if enough() {
            return Ok(());
        }
        ensure!(Instant::now() < deadline, "messages were lost: some never came");
        sleep(Duration::from_millis(5)).await;
    }
}
