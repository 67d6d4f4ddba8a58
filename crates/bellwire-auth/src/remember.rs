//! The `remember` layer: looks up the session of each request.

use axum::extract::{Request, State};
use axum::http::header::Entry;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use bellwire_web::bellwire::{ClientAddress, ConnectionLayer, Identity};

use super::Accounts;
use super::session::{RequestSession, session_key};
use super::session_check::SessionCheck;
use super::user::SignedIn;

/// Looks up the session and its person once per request. The extractors read both from the
/// request's extensions.
pub async fn remember(
    State(accounts): State<Accounts>,
    mut request: Request,
    next: Next,
) -> Response {
    let session = match accounts.sessions().recognise(request.headers()).await {
        Ok(session) => session,
        Err(error) => return error.into_response(),
    };
    let signed_in = SignedIn::of(&session);
    let address = ClientAddress::of(request.extensions()).network();
    let identity = Identity::default().with_address(address);
    let extensions = request.extensions_mut();
    extensions.insert(session.clone());
    extensions.insert(identity_of(identity, signed_in.as_ref(), &session));
    if let Some(signed_in) = signed_in.clone() {
        extensions.insert(signed_in.user.viewer());
        extensions.insert(signed_in);
    }
    let (sessions, connecting) = (accounts.sessions().clone(), session.clone());
    extensions
        .insert(ConnectionLayer::new(move || SessionCheck::new(sessions.clone(), &connecting)));
    let mut response = next.run(request).await;
    if let Some(signed_in) = &signed_in {
        keep_private(response.headers_mut());
        response.extensions_mut().insert(signed_in.user.viewer());
    }
    // The handler may have begun the anonymous session for which its page is.
    let owner = identity_of(Identity::default(), signed_in.as_ref(), &session);
    response.extensions_mut().insert(owner);
    session.write(response.headers_mut());
    response
}

/// Adds the person, or else the anonymous session.
fn identity_of(
    identity: Identity,
    signed_in: Option<&SignedIn>,
    session: &RequestSession,
) -> Identity {
    match (signed_in, session.anonymous_id()) {
        (Some(SignedIn { user }), _) => {
            identity.with_person(user.key()).with_session(user.session_key())
        }
        (None, Some(id)) => identity.with_visitor(session_key(id)),
        (None, None) => identity,
    }
}

/// Forbids caching of responses to a signed-in person, unless the handler has set `Cache-Control`.
fn keep_private(headers: &mut HeaderMap) {
    if let Entry::Vacant(cache) = headers.entry(header::CACHE_CONTROL) {
        cache.insert(HeaderValue::from_static("no-store"));
        headers.append(header::VARY, HeaderValue::from_static("Cookie"));
    }
}
