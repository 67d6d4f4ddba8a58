//! Memory of an open, idle socket.

use crate::cpu;
use crate::member::Member;
use crate::server::{Kind, Server};

/// Number of sockets for the measurement, and of sockets in each room.
const IDLE: usize = 2_000;
const IDLE_IN_A_ROOM: usize = 20;

/// Memory of two servers for each idle socket, in KiB.
pub(crate) async fn memory_per_socket([one, other]: [Kind; 2]) -> anyhow::Result<(f64, f64)> {
    Ok((memory(one).await?, memory(other).await?))
}

async fn memory(kind: Kind) -> anyhow::Result<f64> {
    let server = Server::start(kind)?;
    // The first sockets cause the allocations that happen only once.
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
