//! Server A: rooms on the framework, by a real consumer, with numbered patches to every member.

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

/// What was said, by room: the source of truth that a database would be.
type Said = Arc<Mutex<HashMap<u32, Room>>>;

/// How many messages of a room can still be caught up with, more than are ever on the way. Keeping
/// all of them measured the growth of memory, and keeping 64 how far a hundred rooms of them are
/// from the processor.
const KEPT: usize = 8;

#[derive(Default)]
struct Room {
    seq: Seq,
    /// The newest, with `seq` last.
    newest: VecDeque<Html>,
}

impl Room {
    fn add(&mut self, text: &str) -> (Seq, Html) {
        self.seq += 1;
        let html = Html::trusted(item(self.seq, text));
        if self.newest.len() == KEPT {
            self.newest.pop_front();
        }
        self.newest.push_back(html.clone());
        (self.seq, html)
    }

    /// What came after `since`, as far back as is kept.
    fn after(&self, since: Seq) -> impl Iterator<Item = &Html> {
        let missed = usize::try_from(self.seq.saturating_sub(since)).unwrap_or(KEPT);
        self.newest.iter().skip(self.newest.len().saturating_sub(missed))
    }
}

#[derive(Clone)]
struct Site {
    bellwire: Bellwire,
    said: Said,
}

impl FromRef<Site> for Bellwire {
    fn from_ref(site: &Site) -> Self {
        site.bellwire.clone()
    }
}

#[derive(serde::Deserialize)]
#[serde(tag = "action", content = "data")]
enum Ask {
    Hello {},
    Say { text: String },
}

impl Action for Ask {}

struct Member {
    room: u32,
    said: Said,
}

impl Member {
    /// Puts a message down, and publishes it as the next of its room while nobody else can.
    fn say(&self, socket: &Socket, text: &str) {
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        let (seq, html) = said.entry(self.room).or_default().add(text);
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
    type Action = Ask;
    type Event = ();

    async fn connect(&mut self, socket: &mut Socket) -> Result<(), Error> {
        socket.follow(&socket.layer().group::<()>(feed(self.room)));
        Ok(())
    }

    async fn receive(&mut self, socket: &mut Socket, ask: Ask) -> Result<(), Error> {
        match ask {
            Ask::Hello {} => socket.send_text(WELCOME).await?,
            Ask::Say { text } => self.say(socket, &text),
        }
        Ok(())
    }

    async fn catch_up(
        &mut self,
        _: &mut Socket,
        _: &GroupName,
        since: Option<Seq>,
    ) -> Result<CatchUp, Error> {
        let said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(room) = said.get(&self.room) else {
            return Ok(CatchUp { patches: Vec::new(), seq: 0 });
        };
        let missed = room.after(since.unwrap_or_default());
        let patches = missed.map(|html| Patch::append("#messages-list", html.clone())).collect();
        Ok(CatchUp { patches, seq: room.seq })
    }
}

async fn socket(Path(room): Path<u32>, State(site): State<Site>, upgrade: Upgrade) -> Response {
    upgrade.run(Member { room, said: site.said })
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    // The bench sends as fast as it can, and pings would fall into the others' turns; everything
    // else is as a site has it.
    let (ping, idle) = (Duration::from_secs(3_600), Duration::from_secs(7_200));
    let limits = Limits { actions_per_second: None, ping, idle, ..Limits::default() };
    let bellwire = Bellwire::builder(format!("http://{address}")).limits(limits).build()?;
    let routes = Router::new()
        .route("/ws/{room}/", get(socket))
        .with_state(Site { bellwire, said: Said::default() });
    announce(address)?;
    let listener = listener.tap_io(|stream| {
        // Without it small writes wait for each other's acknowledgement.
        let _ = stream.set_nodelay(true);
    });
    Ok(axum::serve(listener, routes).await?)
}
