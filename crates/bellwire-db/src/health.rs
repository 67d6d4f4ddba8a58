//! How the database does: what is wrong is told to the operator, and nobody waits for a server that
//! is not there.

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::BoxFuture;
use sea_orm::{DbErr, RuntimeErr};
use sqlx::Connection;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use tokio::time::Instant;

use crate::chain::chain;
use crate::outage::Outage;

/// One line in the log for each kind of trouble in this time; the next line says how often it
/// happened.
const ONE_LINE: Duration = Duration::from_secs(10);

/// How long something may wait before we ask whether the server is there at all.
const SOON: Duration = Duration::from_millis(500);

/// How long an answer to that question is good for.
const GOOD_FOR: Duration = Duration::from_secs(1);

/// How long the server may take to answer it.
const KNOCK: Duration = Duration::from_secs(2);

/// The health of one database.
#[derive(Debug, Default)]
pub(crate) struct Health {
    /// When each kind of trouble was last told, and how often it has happened since.
    told: Mutex<HashMap<Outage, (Instant, u64)>>,
    /// A server, if the database is behind one.
    server: Option<Server>,
}

impl Health {
    pub(crate) fn of_server(options: PgConnectOptions) -> Self {
        Self {
            server: Some(Server {
                options,
                last: Mutex::default(),
                turn: tokio::sync::Mutex::default(),
            }),
            ..Self::default()
        }
    }

    /// Does what needs a connection, or finds out before long that there is no server to be had.
    pub(crate) async fn watch<T>(
        &self,
        work: impl Future<Output = Result<T, DbErr>>,
    ) -> Result<T, DbErr> {
        let done = match &self.server {
            None => work.await,
            Some(server) => server.watch(work).await,
        };
        done.inspect_err(|error| self.note(error))
    }

    /// Tells the operator what is wrong, with its cause. Mistakes of ours are not told here: a
    /// request fails with them.
    pub(crate) fn note(&self, error: &DbErr) {
        if let Some(outage) = Outage::of(error) {
            self.tell(outage, &chain(error));
        }
    }

    pub(crate) fn tell(&self, outage: Outage, error: &str) {
        let now = Instant::now();
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let times = match told.get_mut(&outage) {
            Some((at, times)) if now.duration_since(*at) < ONE_LINE => {
                *times += 1;
                return;
            }
            Some((_, times)) => *times,
            None => 0,
        };
        told.insert(outage, (now, 0));
        tracing::error!(error, untold = times, "{}", outage.in_words());
    }
}

/// A PostgreSQL server, as seen from the door.
#[derive(Debug)]
struct Server {
    options: PgConnectOptions,
    /// When we last knocked, and why nobody opened.
    last: Mutex<Option<(Instant, Option<DbErr>)>>,
    /// One knocks for all who wait.
    turn: tokio::sync::Mutex<()>,
}

impl Server {
    async fn watch<T>(&self, work: impl Future<Output = Result<T, DbErr>>) -> Result<T, DbErr> {
        if let Some(Some(gone)) = self.known() {
            return Err(gone);
        }
        tokio::select! {
            biased;
            done = work => done,
            gone = self.gone() => Err(gone),
        }
    }

    /// What we know of it from a moment ago: nothing, that it is there, or why it is not.
    fn known(&self) -> Option<Option<DbErr>> {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        last.as_ref().filter(|(at, _)| at.elapsed() < GOOD_FOR).map(|(_, gone)| gone.clone())
    }

    /// Ends when it turns out that the server is gone; never, as long as it is there.
    ///
    /// Boxed, so that PostgreSQL's handshake is compiled here and not again with each kind of work
    /// in each app.
    fn gone(&self) -> BoxFuture<'_, DbErr> {
        Box::pin(async move {
            loop {
                tokio::time::sleep(SOON).await;
                let _turn = self.turn.lock().await;
                let found = match self.known() {
                    Some(found) => found,
                    None => self.probe().await,
                };
                if let Some(gone) = found {
                    return gone;
                }
            }
        })
    }

    async fn probe(&self) -> Option<DbErr> {
        let gone =
            match tokio::time::timeout(KNOCK, PgConnection::connect_with(&self.options)).await {
                Ok(Ok(connection)) => {
                    let _ = connection.close_hard().await; // it has answered, and that was the question
                    None
                }
                Ok(Err(error)) => {
                    Some(error).filter(|error| Outage::of_sqlx(error) == Some(Outage::Unreachable))
                }
                Err(_) => Some(sqlx::Error::Io(std::io::ErrorKind::TimedOut.into())),
            };
        let gone = gone.map(|error| DbErr::Conn(RuntimeErr::SqlxError(error.into())));
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        *last = Some((Instant::now(), gone.clone()));
        gone
    }
}
