//! The environment variables of the server: address, connections, log.

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::time::Duration;

use bellwire::ServeLimits;
use bellwire_web::settings::{SECONDS, whole_number};
use clap::Args;

/// The environment variables of the server, as clap arguments.
#[derive(Debug, Clone, Args)]
pub(super) struct ServeArgs {
    /// Address to listen on; port 0 selects a free one
    #[arg(long, env = "BELLWIRE_BIND", default_value_t = BIND, value_parser = bind)]
    pub(super) bind: SocketAddr,
    /// Maximum concurrent connections, sockets included; the next one waits
    #[arg(
        long, env = "BELLWIRE_CONNECTIONS", default_value_t = ServeLimits::default().connections,
        value_parser = whole_number::<usize>(1..=1_000_000)
    )]
    connections: usize,
    /// Seconds for the head of a request, including the idle time before it; then the connection is
    /// closed
    #[arg(
        long, env = "BELLWIRE_HEADER_SECONDS", default_value_t = ServeLimits::default().headers.as_secs(),
        value_parser = whole_number::<u64>(SECONDS)
    )]
    header_seconds: u64,
    /// Seconds without write progress of a response; then the connection is closed
    #[arg(
        long, env = "BELLWIRE_RESPONSE_SECONDS", default_value_t = ServeLimits::default().response.as_secs(),
        value_parser = whole_number::<u64>(SECONDS)
    )]
    response_seconds: u64,
    /// Log filter, such as `warn,bellwire_site=debug`
    #[arg(long, env = "BELLWIRE_LOG", default_value = "info,sqlx=warn,sea_orm_migration=warn", value_parser = log)]
    pub(super) log: String,
    /// Reserved for running several processes; setting it stops the start
    #[arg(long, env = "REDIS_URL", hide_env_values = true, value_parser = redis)]
    redis_url: Option<Infallible>,
}

const BIND: SocketAddr = SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 8000));

impl ServeArgs {
    /// The limits of every connection.
    pub(super) fn limits(&self) -> ServeLimits {
        ServeLimits {
            connections: self.connections,
            headers: Duration::from_secs(self.header_seconds),
            response: Duration::from_secs(self.response_seconds),
            ..ServeLimits::default()
        }
    }
}

fn bind(text: &str) -> Result<SocketAddr, &'static str> {
    text.parse().map_err(|_| "an IP address and a port, such as 127.0.0.1:8000 or [::]:8000")
}

fn log(text: &str) -> Result<String, &'static str> {
    let levels = tracing_subscriber::EnvFilter::try_new(text);
    levels.map(|_| text.to_owned()).map_err(|_| "levels such as info or warn,bellwire_site=debug")
}

/// Refuses every value: there is no Redis layer yet, and a site configured for several processes
/// must not start as one.
fn redis(_: &str) -> Result<Infallible, &'static str> {
    Err("no value yet: Bellwire does not support Redis so far and runs as one process")
}
