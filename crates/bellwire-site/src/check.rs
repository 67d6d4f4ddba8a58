//! Whether a site would start and be reached: looked at one thing after the other, each with what
//! is wrong and how to mend it.

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

/// How long whoever listens at our address may take to say that it is us.
const ANSWER: Duration = Duration::from_secs(3);

/// File descriptors for anything but connections: the database, the log, files that are sent.
const OTHER_FILES: u64 = 100;

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What was looked at, in a word or two.
    pub what: &'static str,
    /// How it is; or what is wrong, and how to mend it.
    pub result: Result<String, String>,
}

/// Looks at everything a site needs. Changes nothing but that it makes the data folder, and can run
/// beside a running site.
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

/// Whether the address is free, or already ours.
async fn listening(settings: &Settings) -> Result<String, String> {
    let bind = settings.bind;
    match TcpListener::bind(bind).await {
        Ok(_) => Ok(format!("{bind} is free")),
        Err(error) if error.kind() == ErrorKind::AddrInUse => {
            let who = tokio::time::timeout(ANSWER, is_ours(settings)).await;
            match who {
                Ok(Ok(true)) => Ok(format!("{bind} is served by Bellwire already")),
                _ => Err(format!(
                    "{bind} is taken by another program. Stop it, or set BELLWIRE_BIND to a free port."
                )),
            }
        }
        Err(error) if error.kind() == ErrorKind::PermissionDenied => Err(format!(
            "{bind} is not allowed to this user. Set BELLWIRE_BIND to a port above 1023 and put a proxy before it."
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

/// Where something that listens everywhere can be reached.
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
    let tried = std::fs::create_dir_all(folder)
        .and_then(|()| std::fs::write(&file, "written by bellwire check\n"));
    let _ = std::fs::remove_file(&file);
    match tried {
        Ok(()) => Ok(format!("{shown} can be written")),
        Err(error) => Err(format!(
            "{shown} cannot be written: {error}. Give it to the user that runs Bellwire, or set BELLWIRE_DATA to another folder."
        )),
    }
}

async fn database(settings: &Settings, apps: &[App]) -> Result<String, String> {
    let shown = format!("{:?}", settings.database);
    if let DatabaseUrl::Sqlite(file) = &settings.database
        && !file.exists()
    {
        return Ok(format!("{shown} is not there yet; the first start makes it"));
    }
    match Db::pending(&settings.database, &migrations(apps)).await {
        Ok(0) => Ok(format!("{shown} answers and is up to date")),
        Ok(pending) => Err(format!(
            "{shown} has {pending} migrations to come. `bellwire migrate` applies them; so does the next start."
        )),
        Err(error) => Err(format!(
            "{}. Set DATABASE_URL to a database that is there and may be written.",
            chain(&error)
        )),
    }
}

/// Whether every connection can have its file descriptor, once the start has raised the limit.
fn files(connections: u64) -> Result<String, String> {
    let Ok((now, most)) = rlimit::getrlimit(rlimit::Resource::NOFILE) else {
        return Ok("this system says nothing about its limit of open files".to_owned());
    };
    let needed = connections + OTHER_FILES;
    if most >= needed {
        Ok(format!(
            "{needed} of {most} may be needed (the limit is {now} now; the start raises it)"
        ))
    } else {
        Err(format!(
            "{most} may be open at once, but {connections} connections need {needed}. Raise the hard limit (`ulimit -Hn`, \
             `LimitNOFILE=` of systemd), or set BELLWIRE_CONNECTIONS to {} at most.",
            most.saturating_sub(OTHER_FILES)
        ))
    }
}
