//! The browser of a request: its address, user agent and existing sessions.

use std::convert::Infallible;
use std::net::IpAddr;

use axum::extract::FromRequestParts;
use axum::http::header;
use axum::http::request::Parts;
use bellwire_web::bellwire::ClientAddress;

use super::session::{Device, PreviousSessions, RequestSession};

/// The maximum stored length of a `User-Agent` header, in characters.
const USER_AGENT_LENGTH: usize = 300;

/// An extractor: the browser that sends a form or opens a socket, with its address, user agent and
/// existing sessions.
#[derive(Debug)]
pub struct Browser {
    pub(super) address: IpAddr,
    pub(super) device: Device,
    pub(super) previous: PreviousSessions,
}

impl<S: Send + Sync> FromRequestParts<S> for Browser {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        let address = ClientAddress::of(&parts.extensions).ip();
        let user_agent = parts
            .headers
            .get(header::USER_AGENT)
            .map(|value| String::from_utf8_lossy(value.as_bytes()));
        let is_printable = |c: &char| !c.is_control();
        let user_agent = user_agent
            .unwrap_or_default()
            .chars()
            .filter(is_printable)
            .take(USER_AGENT_LENGTH)
            .collect();
        let previous = PreviousSessions::of(&RequestSession::of(&parts.extensions));
        Ok(Self { address, device: Device { user_agent, address: address.to_string() }, previous })
    }
}
