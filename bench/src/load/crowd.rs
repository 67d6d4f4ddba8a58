//! A server and its connected members, in a separate process. Several crowds run side by side and
//! take turns that are shorter than the fluctuations of a shared machine.

use std::cell::RefCell;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use tokio::task::{LocalSet, spawn_blocking, spawn_local};
use tokio::time::{sleep, timeout};

use crate::cases::{CASES, Case, Figure};
use crate::cpu;
use crate::member::Member;
use crate::room::{Room, Shared, listen};
use crate::server::{Kind, Server};

/// Duration of the warm-up before each turn, and the minimum number of messages to each member
/// during it. The warm-up refills the processor caches after the turns of others.
const WARM_UP: Duration = Duration::from_millis(50);
const WARM_UP_MESSAGES: u64 = 2;
/// The longest wait for the last messages.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(10);
/// The longest wait until all members are connected.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(60);
/// The line that a crowd prints when all members are connected.
const READY: &str = "ready";

/// A crowd, controlled by the parent process.
pub(crate) struct Crowd {
    process: Child,
    /// Closing it stops the crowd.
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Crowd {
    /// Starts a server of this kind and waits until all members are connected.
    pub(crate) fn start(kind: Kind, case: usize) -> anyhow::Result<Self> {
        let mut process = Command::new(std::env::current_exe()?)
            .args(["crowd", kind.name(), &case.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("a crowd")?;
        let (input, output) =
            (process.stdin.take(), process.stdout.take().context("a crowd's output")?);
        let mut crowd = Self { process, input, output: BufReader::new(output) };
        let answer = crowd.answer()?;
        ensure!(answer == READY, "unexpected output of a crowd: {answer:?}");
        Ok(crowd)
    }

    /// Runs one turn of this length.
    pub(crate) fn turn(&mut self, time: Duration) -> anyhow::Result<Figure> {
        let input = self.input.as_mut().context("a stopped crowd")?;
        writeln!(input, "{}", time.as_millis())?;
        self.answer()?.parse()
    }

    fn answer(&mut self) -> anyhow::Result<String> {
        let mut line = String::new();
        self.output.read_line(&mut line).context("a crowd's answer")?;
        ensure!(line.ends_with('\n'), "a crowd ended early");
        Ok(line.trim_end().to_owned())
    }
}

impl Drop for Crowd {
    fn drop(&mut self) {
        self.input = None;
        // A failure cannot be handled here.
        let _ = self.process.wait();
    }
}

/// Runs in the crowd's process: reads the length of each turn in milliseconds, one a line, and
/// prints a line with the figure of each.
pub(crate) async fn run_turns(kind: Kind, case: usize) -> anyhow::Result<()> {
    let case = *CASES.get(case).context("no such case")?;
    let server = Server::start(kind)?;
    let failure = Rc::new(RefCell::new(None));
    let turns = async {
        let rooms = timeout(CONNECT_TIMEOUT, connect_members(&server, case, &failure))
            .await
            .context("not all members connected")??;
        print_line(READY)?;
        while let Some(line) = next_turn().await? {
            let time = Duration::from_millis(line.parse().context("the time of a turn")?);
            print_line(&turn(&server, &rooms, &failure, time).await?.to_string())?;
        }
        Ok(())
    };
    LocalSet::new().run_until(turns).await
}

/// Reads the next line without blocking the members.
async fn next_turn() -> anyhow::Result<Option<String>> {
    spawn_blocking(|| std::io::stdin().lines().next().transpose())
        .await?
        .context("read the next turn")
}

fn print_line(line: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush().context("print a line")
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
    drain(rooms, failure).await?;
    let (time, cpu) = ((after.0 - before.0).as_secs_f64(), (after.1 - before.1) as f64);
    let delivered = (after.2 - before.2) as f64;
    ensure!(delivered > 0.0, "nothing was delivered");
    Ok(Figure { cpu: cpu / 1e3 / delivered, rate: delivered / time, busy: cpu / 1e9 / time })
}

/// Sends messages until the caches are warm after the turns of others.
async fn warm_up(rooms: &[Shared], failure: &Failure) -> anyhow::Result<()> {
    let enough = deliveries(rooms)
        + WARM_UP_MESSAGES * rooms.iter().map(|room| room.borrow().members()).sum::<u64>();
    rooms.iter().try_for_each(|room| room.borrow_mut().start())?;
    sleep(WARM_UP).await;
    wait_until(|| deliveries(rooms) >= enough, failure).await
}

type Failure = Rc<RefCell<Option<anyhow::Error>>>;

/// Connects the members of all rooms.
async fn connect_members(
    server: &Server,
    case: Case,
    failure: &Failure,
) -> anyhow::Result<Vec<Shared>> {
    let mut rooms = Vec::new();
    for number in 0..case.rooms {
        let room = Room::new(number, server.epoch.clone(), case);
        for _ in 0..case.members {
            let member = Member::join(server.address, number).await?;
            room.borrow_mut().add(&member);
            let (room, failure) = (room.clone(), failure.clone());
            spawn_local(async move {
                if let Err(error) = listen(member, room).await {
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

/// Stops sending, and waits for the messages in flight. A run that lost or reordered a message is
/// invalid.
async fn drain(rooms: &[Shared], failure: &Failure) -> anyhow::Result<()> {
    rooms.iter().for_each(|room| room.borrow_mut().stop());
    wait_until(|| rooms.iter().all(|room| room.borrow().is_quiet()), failure).await
}

async fn wait_until(enough: impl Fn() -> bool, failure: &Failure) -> anyhow::Result<()> {
    let deadline = Instant::now() + DRAIN_TIMEOUT;
    loop {
        if let Some(error) = failure.borrow_mut().take() {
            return Err(error);
        }
        if enough() {
            return Ok(());
        }
        ensure!(Instant::now() < deadline, "messages were lost: some never arrived");
        sleep(Duration::from_millis(5)).await;
    }
}
