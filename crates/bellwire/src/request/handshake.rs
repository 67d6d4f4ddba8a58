//! The WebSocket handshake of RFC 6455: the request, and the response that switches protocols.

use std::time::Duration;

use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use http::header::{
    CONNECTION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL,
    SEC_WEBSOCKET_VERSION, UPGRADE,
};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use hyper::upgrade::{OnUpgrade, Upgraded};

use crate::request::headers::header_items;
use crate::request::upgrade_rejection::UpgradeRejection;

/// The GUID that RFC 6455 §1.3 appends to the key before hashing it.
const KEY_SUFFIX: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
/// The time for the switch of protocols after the response was returned.
const SWITCH_TIMEOUT: Duration = Duration::from_secs(10);

/// A valid handshake.
#[derive(Debug)]
pub(crate) struct Handshake {
    accept: HeaderValue,
    offered: Vec<String>,
    upgrade: OnUpgrade,
}

impl Handshake {
    /// Returns whether the request is a handshake as in RFC 6455 §4.2.1.
    pub(crate) fn is_in(parts: &Parts) -> bool {
        let headers = &parts.headers;
        parts.method == Method::GET
            && has_token(headers, CONNECTION, b"upgrade")
            && has_token(headers, UPGRADE, b"websocket")
            && headers.get(SEC_WEBSOCKET_VERSION).is_some_and(|version| version == "13")
    }

    /// Takes the handshake from a request.
    ///
    /// # Errors
    /// If the request is none, or a malformed one.
    pub(crate) fn take(parts: &mut Parts) -> Result<Self, UpgradeRejection> {
        if !Self::is_in(parts) {
            return Err(UpgradeRejection::NotWebSocket);
        }
        let accept = accept(&parts.headers)?;
        let offered = header_items(&parts.headers, SEC_WEBSOCKET_PROTOCOL, b',');
        let offered =
            offered.filter_map(|item| str::from_utf8(item).ok()).map(str::to_owned).collect();
        let upgrade = parts.extensions.remove::<OnUpgrade>();
        let upgrade = upgrade
            .ok_or(UpgradeRejection::Malformed("this connection cannot switch protocols"))?;
        Ok(Self { accept, offered, upgrade })
    }

    /// Whether the browser offers this subprotocol.
    pub(crate) fn offers(&self, protocol: &str) -> bool {
        self.offered.iter().any(|offered| offered == protocol)
    }

    /// The response that switches protocols, and the switch itself, which returns `None` if the
    /// browser disconnects or takes too long.
    pub(crate) fn accept(
        self,
        mut headers: HeaderMap,
    ) -> (Response, impl Future<Output = Option<Upgraded>>) {
        headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(SEC_WEBSOCKET_ACCEPT, self.accept);
        let response = (StatusCode::SWITCHING_PROTOCOLS, headers).into_response();
        (response, switched(self.upgrade))
    }
}

async fn switched(upgrade: OnUpgrade) -> Option<Upgraded> {
    match tokio::time::timeout(SWITCH_TIMEOUT, upgrade).await {
        Ok(Ok(stream)) => return Some(stream),
        Ok(Err(error)) => tracing::debug!(%error, "The browser left during the handshake"),
        Err(_) => tracing::debug!("The handshake took too long"),
    }
    None
}

fn has_token(headers: &HeaderMap, name: HeaderName, token: &[u8]) -> bool {
    header_items(headers, name, b',').any(|item| item.eq_ignore_ascii_case(token))
}

/// The value of `Sec-WebSocket-Accept` for the handshake's key.
fn accept(headers: &HeaderMap) -> Result<HeaderValue, UpgradeRejection> {
    let key = headers
        .get(SEC_WEBSOCKET_KEY)
        .ok_or(UpgradeRejection::Malformed("Sec-WebSocket-Key is missing"))?;
    match BASE64.decode(key) {
        Ok(bytes) if bytes.len() == 16 => {}
        _ => {
            return Err(UpgradeRejection::Malformed("Sec-WebSocket-Key is not 16 bytes in base64"));
        }
    }
    let mut hash = sha1_smol::Sha1::new();
    hash.update(key.as_bytes());
    hash.update(KEY_SUFFIX);
    HeaderValue::from_str(&BASE64.encode(hash.digest().bytes()))
        .map_err(|_| UpgradeRejection::Malformed("Sec-WebSocket-Key is invalid"))
}
