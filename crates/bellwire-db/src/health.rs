//! Health of the database: logs outages for the operator, and fails fast if the server is
//! unreachable.

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

/// The log has one line per kind of outage in this interval; the next line counts the suppressed
/// ones.
const LOG_INTERVAL: Duration = Duration::from_secs(10);

/// How long an operation may wait before the server is probed.
const PROBE_AFTER: Duration = Duration::from_millis(500);

/// How long the result of a probe is valid.
const PROBE_VALIDITY: Duration = Duration::from_secs(1);

/// How long a probe may take.
const PROBE_TIMEOUT: Duration = Duration::from_secs(2);

/// The health of one database.
#[derive(Debug, Default)]
pub(crate) struct Health {
    /// When each kind of outage was last logged, and how often it has happened since.
    logged: Mutex<HashMap<Outage, (Instant, u64)>>,
    /// The PostgreSQL server; `None` for SQLite.
    server: Option<Server>,
}

impl Health {
    pub(crate) fn of_server(options: PgConnectOptions) -> Self {
        Self {
            server: Some(Server {
                options,
                last: Mutex::default(),
                probing: tokio::sync::Mutex::default(),
            }),
            ..Self::default()
        }
    }

    /// Runs work that needs a connection; fails early if the server turns out to be unreachable.
    pub(crate) async fn watch<T>(
        &self,
        work: impl Future<Output = Result<T, DbErr>>,
    ) -> Result<T, DbErr> {
        let result = match &self.server {
            None => work.await,
            Some(server) => server.watch(work).await,
        };
        result.inspect_err(|error| self.note(error))
    }

    /// Logs an outage with its cause. Other errors are bugs of the program; the request that fails
    /// with them logs them.
    pub(crate) fn note(&self, error: &DbErr) {
        if let Some(outage) = Outage::of(error) {
            self.log(outage, &chain(error));
        }
    }

    pub(crate) fn log(&self, outage: Outage, error: &str) {
        let now = Instant::now();
        let mut logged = self.logged.lock().unwrap_or_else(PoisonError::into_inner);
        let suppressed = match logged.get_mut(&outage) {
            Some((at, suppressed)) if now.duration_since(*at) < LOG_INTERVAL => {
                *suppressed += 1;
                return;
            }
            Some((_, suppressed)) => *suppressed,
            None => 0,
        };
        logged.insert(outage, (now, 0));
        tracing::error!(error, suppressed, "{}", outage.in_words());
    }
}

/// A PostgreSQL server and the result of its last probe.
#[derive(Debug)]
struct Server {
    options: PgConnectOptions,
    /// The time of the last probe, and its error.
    last: Mutex<Option<(Instant, Option<DbErr>)>>,
    /// Held during a probe: one probe serves all waiting operations.
    probing: tokio::sync::Mutex<()>,
}

impl Server {
    async fn watch<T>(&self, work: impl Future<Output = Result<T, DbErr>>) -> Result<T, DbErr> {
        if let Some(Some(error)) = self.last_probe() {
            return Err(error);
        }
        tokio::select! {
            biased;
            result = work => result,
            error = self.unreachable() => Err(error),
        }
    }

    /// Returns the result of the last probe while it is valid: the error, or `None` inside if the
    /// server answered.
    fn last_probe(&self) -> Option<Option<DbErr>> {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let valid = last.as_ref().filter(|(at, _)| at.elapsed() < PROBE_VALIDITY);
        valid.map(|(_, error)| error.clone())
    }

    /// Resolves with the error once a probe finds the server unreachable; never while it answers.
    ///
    /// Boxed, so that PostgreSQL's handshake is compiled once here, not again for each kind of work
    /// in each app.
    fn unreachable(&self) -> BoxFuture<'_, DbErr> {
        Box::pin(async move {
            loop {
                tokio::time::sleep(PROBE_AFTER).await;
                let _probing = self.probing.lock().await;
                let probed = match self.last_probe() {
                    Some(probed) => probed,
                    None => self.probe().await,
                };
                if let Some(error) = probed {
                    return error;
                }
            }
        })
    }

    async fn probe(&self) -> Option<DbErr> {
        let connect = PgConnection::connect_with(&self.options);
        let error = match tokio::time::timeout(PROBE_TIMEOUT, connect).await {
            Ok(Ok(connection)) => {
                let _ = connection.close_hard().await; // the server answered, which is enough
                None
            }
            Ok(Err(error)) => {
                Some(error).filter(|error| Outage::of_sqlx(error) == Some(Outage::Unreachable))
            }
            Err(_) => Some(sqlx::Error::Io(std::io::ErrorKind::TimedOut.into())),
        };
        let error = error.map(|error| DbErr::Conn(RuntimeErr::SqlxError(error.into())));
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        *last = Some((Instant::now(), error.clone()));
        error
    }
}
