//! Server A: rooms on the framework, with a real consumer and numbered patches to every member.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::extract::{FromRef, Path, State};
use axum::response::Response;
use axum::serve::ListenerExt;
use axum::{Router, routing::get};
use bellwire::{
    Action, Bellwire, CatchUp, Consumer, Error, GroupName, Html, Limits, Patch, Seq, Socket,
    Upgrade,
};
use bellwire_bench::{WELCOME, announce, item};
use tokio::net::TcpListener;

/// The messages of each room: the source of truth, in place of a database.
type Messages = Arc<Mutex<HashMap<u32, Room>>>;

/// Number of messages kept for catch-ups, more than are ever in flight. Keeping all of them would
/// measure memory growth, and keeping 64 would measure cache misses in a hundred rooms.
const HISTORY: usize = 8;

#[derive(Default)]
struct Room {
    seq: Seq,
    /// The newest messages, ending with `seq`.
    newest: VecDeque<Html>,
}

impl Room {
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
        let missed = usize::try_from(self.seq.saturating_sub(since)).unwrap_or(HISTORY);
        self.newest.iter().skip(self.newest.len().saturating_sub(missed))
    }
}

#[derive(Clone)]
struct Site {
    bellwire: Bellwire,
    messages: Messages,
}

impl FromRef<Site> for Bellwire {
    fn from_ref(site: &Site) -> Self {
        site.bellwire.clone()
    }
}

#[derive(serde::Deserialize)]
#[serde(tag = "action", content = "data")]
enum RoomAction {
    Hello {},
    Say { text: String },
}

impl Action for RoomAction {}

struct Member {
    room: u32,
    messages: Messages,
}

impl Member {
    /// Stores a message and publishes it as the next of its room, under one lock.
    fn say(&self, socket: &Socket, text: &str) {
        let mut messages = self.messages.lock().unwrap_or_else(PoisonError::into_inner);
        let (seq, html) = messages.entry(self.room).or_default().add(text);
        socket
            .layer()
            .group::<()>(feed(self.room))
            .publish(seq, Patch::append("#messages-list", html));
    }
}

fn feed(room: u32) -> GroupName {
    GroupName::of("bench", room)
}

impl Consumer for Member {
    type Action = RoomAction;
    type Event = ();

    async fn connect(&mut self, socket: &mut Socket) -> Result<(), Error> {
        socket.follow(&socket.layer().group::<()>(feed(self.room)));
        Ok(())
    }

    async fn receive(&mut self, socket: &mut Socket, action: RoomAction) -> Result<(), Error> {
        match action {
            RoomAction::Hello {} => socket.send_text(WELCOME).await?,
            RoomAction::Say { text } => self.say(socket, &text),
        }
        Ok(())
    }

    async fn catch_up(
        &mut self,
        _: &mut Socket,
        _: &GroupName,
        since: Option<Seq>,
    ) -> Result<CatchUp, Error> {
        let messages = self.messages.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(room) = messages.get(&self.room) else {
            return Ok(CatchUp { patches: Vec::new(), seq: 0 });
        };
        let missed = room.after(since.unwrap_or_default());
        let patches = missed.map(|html| Patch::append("#messages-list", html.clone())).collect();
        Ok(CatchUp { patches, seq: room.seq })
    }
}

async fn socket(Path(room): Path<u32>, State(site): State<Site>, upgrade: Upgrade) -> Response {
    upgrade.run(Member { room, messages: site.messages })
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
    let routes = Router::new()
        .route("/ws/{room}/", get(socket))
        .with_state(Site { bellwire, messages: Messages::default() });
    announce(address)?;
    let listener = listener.tap_io(|stream| {
        // Without it small writes wait for the acknowledgement of earlier ones.
        let _ = stream.set_nodelay(true);
    });
    Ok(axum::serve(listener, routes).await?)
}
