//! `bellwire check`: tests whether a site can start and be reached, and reports each problem with
//! its fix.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use bellwire_db::{DatabaseUrl, Db, chain};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::PublicUrl;
use crate::site::migrations;
use crate::{App, Settings};

mod address;

/// The timeout for the program that already listens at our address to answer.
const ANSWER: Duration = Duration::from_secs(3);

/// File descriptors reserved for anything but connections: the database, the log, static files.
const OTHER_FILES: u64 = 100;

/// The result of one check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The name of the check, in a word or two.
    pub what: &'static str,
    /// The state, or the problem and its fix.
    pub result: Result<String, String>,
}

/// Checks everything a site needs. Changes nothing except that it creates the data folder. Can run
/// while the site is running.
pub async fn check(settings: &Settings, apps: &[App]) -> Vec<Finding> {
    let running = listening(settings).await;
    let found = |what, result| Finding { what, result };
    vec![
        found("public address", address::check(settings)),
        found("listening", running),
        found("data folder", data_folder(&settings.data)),
        found("database", database(settings, apps).await),
        found("layer", Ok("memory: one process".to_owned())),
        found("files", files(settings.serve.connections as u64)),
    ]
}

/// Checks whether the address is free or already served by this site.
async fn listening(settings: &Settings) -> Result<String, String> {
    let bind = settings.bind;
    match TcpListener::bind(bind).await {
        Ok(_) => Ok(format!("{bind} is free")),
        Err(error) if error.kind() == ErrorKind::AddrInUse => {
            let ours = tokio::time::timeout(ANSWER, is_ours(settings)).await;
            match ours {
                Ok(Ok(true)) => Ok(format!("{bind} is already served by Bellwire")),
                _ => Err(format!(
                    "{bind} is used by another program. Stop it, or set BELLWIRE_BIND to a free \
                     port."
                )),
            }
        }
        Err(error) if error.kind() == ErrorKind::PermissionDenied => Err(format!(
            "This user may not listen on {bind}. Set BELLWIRE_BIND to a port above 1023 and put a \
             proxy in front of it."
        )),
        Err(error) => {
            Err(format!("{bind}: {error}. Set BELLWIRE_BIND to an address that this machine has."))
        }
    }
}

async fn is_ours(settings: &Settings) -> io::Result<bool> {
    let public = PublicUrl::new(settings.url.as_ref(), settings.bind);
    let host = public.host();
    let mut stream = TcpStream::connect(reachable(settings.bind)).await?;
    let request =
        format!("GET / HTTP/1.1\r\nHost: {host}\r\nAccept: text/html\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.take(1024 * 1024).read_to_end(&mut answer).await?;
    Ok(String::from_utf8_lossy(&answer).contains("/bellwire.js\""))
}

/// A connectable address for `bind`: the loopback address if it is unspecified.
fn reachable(bind: SocketAddr) -> SocketAddr {
    match bind {
        SocketAddr::V4(v4) if v4.ip().is_unspecified() => ([127, 0, 0, 1], bind.port()).into(),
        SocketAddr::V6(v6) if v6.ip().is_unspecified() => {
            ([0, 0, 0, 0, 0, 0, 0, 1], bind.port()).into()
        }
        bind => bind,
    }
}

fn data_folder(folder: &Path) -> Result<String, String> {
    let shown = folder.display();
    let file = folder.join(format!(".bellwire-check-{}", std::process::id()));
    let written = std::fs::create_dir_all(folder)
        .and_then(|()| std::fs::write(&file, "written by bellwire check\n"));
    let _ = std::fs::remove_file(&file);
    match written {
        Ok(()) => Ok(format!("{shown} is writable")),
        Err(error) => Err(format!(
            "{shown} cannot be written: {error}. Make it writable for the user that runs Bellwire, \
             or set BELLWIRE_DATA to another folder."
        )),
    }
}

async fn database(settings: &Settings, apps: &[App]) -> Result<String, String> {
    let shown = format!("{:?}", settings.database);
    if let DatabaseUrl::Sqlite(file) = &settings.database
        && !file.exists()
    {
        return Ok(format!("{shown} does not exist yet; the first start creates it"));
    }
    match Db::pending(&settings.database, &migrations(apps)).await {
        Ok(0) => Ok(format!("{shown} is reachable and up to date")),
        Ok(pending) => Err(format!(
            "{shown} has {pending} pending migrations. `bellwire migrate` applies them; so does the \
             next start."
        )),
        Err(error) => Err(format!(
            "{}. Set DATABASE_URL to a database that exists and is writable.",
            chain(&error)
        )),
    }
}

/// Checks whether there are enough file descriptors for all connections, once startup has raised
/// the soft limit.
fn files(connections: u64) -> Result<String, String> {
    let Ok((now, most)) = rlimit::getrlimit(rlimit::Resource::NOFILE) else {
        return Ok("this system does not report a limit of open files".to_owned());
    };
    let needed = connections + OTHER_FILES;
    if most >= needed {
        Ok(format!(
            "up to {needed} of {most} are needed (the limit is {now} now; startup raises it)"
        ))
    } else {
        Err(format!(
            "{most} may be open at once, but {connections} connections need {needed}. Raise the \
             hard limit (`ulimit -Hn`, `LimitNOFILE=` of systemd), or set BELLWIRE_CONNECTIONS to \
             {} at most.",
            most.saturating_sub(OTHER_FILES)
        ))
    }
}
