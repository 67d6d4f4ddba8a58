//! Server A: rooms on the framework, with a real consumer and numbered patches to every member.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::extract::{FromRef, Path, State};
use axum::response::Response;
use axum::serve::ListenerExt;
use axum::{Router, routing::get};
use bellwire::{
    Action, Bellwire, CatchUp, Consumer, Error, Feed, FeedSource, Html, Limits, Live, NoEvents,
    Patch, Seq, Socket, Topic,
};
use bellwire_bench::{WELCOME, announce, item};
use tokio::net::TcpListener;

const ROOM: Topic<u32> = Topic::new("bench");

/// Number of messages kept for catch-ups, more than are ever in flight. Keeping all of them would
/// measure memory growth, and keeping 64 would measure cache misses in a hundred rooms.
const HISTORY: usize = 8;

/// The messages of a room: the source of truth, in place of a database.
#[derive(Clone, Default)]
struct Messages(Arc<Mutex<Newest>>);

#[derive(Default)]
struct Newest {
    seq: Seq,
    /// The newest messages, ending with `seq`.
    newest: VecDeque<Html>,
}

impl Newest {
    fn add(&mut self, text: &str) -> (Seq, Html) {
        self.seq += 1;
        let html = Html::trusted(item(self.seq, text));
        if self.newest.len() == HISTORY {
            self.newest.pop_front();
        }
        self.newest.push_back(html.clone());
        (self.seq, html)
    }

    /// The kept messages after `since`.
    fn after(&self, since: Seq) -> impl Iterator<Item = &Html> {
        let missed = usize::try_from(self.seq - since).unwrap_or(HISTORY);
        self.newest.iter().skip(self.newest.len().saturating_sub(missed))
    }
}

#[derive(Clone)]
struct Site {
    bellwire: Bellwire,
    rooms: Arc<Mutex<HashMap<u32, Messages>>>,
}

impl FromRef<Site> for Bellwire {
    fn from_ref(site: &Site) -> Self {
        site.bellwire.clone()
    }
}

#[derive(Action)]
enum RoomAction {
    Hello {},
    Say { text: String },
}

impl Messages {
    fn lock(&self) -> MutexGuard<'_, Newest> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl FeedSource for Messages {
    async fn catch_up(&self, since: Option<Seq>, _: &str) -> Result<CatchUp, Error> {
        let messages = self.lock();
        let missed = messages.after(since.unwrap_or_default());
        let patches = missed.map(|html| Patch::append("#messages-list", html.clone())).collect();
        Ok(CatchUp { patches, seq: messages.seq })
    }
}

struct Member {
    feed: Feed<NoEvents, Messages>,
}

impl Member {
    /// Stores a message and publishes it as the next of its room, under one lock.
    fn say(&self, text: &str) {
        let mut messages = self.feed.source().lock();
        let (seq, html) = messages.add(text);
        self.feed.publish(seq, Patch::append("#messages-list", html));
    }
}

impl Consumer for Member {
    type Action = RoomAction;
    type Event = ();
    type Error = Error;

    async fn connect(&mut self, socket: &mut Socket<Self>) -> Result<(), Error> {
        socket.follow(&self.feed);
        Ok(())
    }

    async fn receive(
        &mut self,
        socket: &mut Socket<Self>,
        action: RoomAction,
    ) -> Result<(), Error> {
        match action {
            RoomAction::Hello {} => socket.send_text(WELCOME).await?,
            RoomAction::Say { text } => self.say(&text),
        }
        Ok(())
    }
}

async fn live(Path(room): Path<u32>, State(site): State<Site>, live: Live) -> Response {
    let mut rooms = site.rooms.lock().unwrap_or_else(PoisonError::into_inner);
    let messages = rooms.entry(room).or_default().clone();
    live.run(Member { feed: site.bellwire.layer().feed(ROOM.of(room), messages) })
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    // No rate limit, because the benchmark sends as fast as possible. No pings, which would disturb
    // the turns of other servers. All other limits are the defaults.
    let (ping, idle) = (Duration::from_secs(3_600), Duration::from_secs(7_200));
    let limits = Limits { actions_per_second: None, ping, idle, ..Limits::default() };
    let bellwire = Bellwire::builder(format!("http://{address}")).limits(limits).build()?;
    announce(address, bellwire.layer().epoch())?;
    let routes = Router::new()
        .route("/ws/{room}/", get(live))
        .with_state(Site { bellwire, rooms: Arc::default() });
    let listener = listener.tap_io(|stream| {
        // Without it small writes wait for the acknowledgement of earlier ones.
        let _ = stream.set_nodelay(true);
    });
    Ok(axum::serve(listener, routes).await?)
}
