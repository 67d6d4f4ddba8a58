//! The `remember` layer: looks up the session of each request.

use axum::extract::{Request, State};
use axum::http::header::Entry;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use bellwire_web::bellwire::{ClientAddress, Identity};

use super::Accounts;
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
    request.extensions_mut().insert(session.clone());
    if let Some(signed_in) = signed_in.clone() {
        let user = &signed_in.user;
        request
            .extensions_mut()
            .insert(identity.with_person(user.key()).with_session(user.session_key()));
        request.extensions_mut().insert(user.viewer());
        request.extensions_mut().insert(signed_in);
    } else {
        request.extensions_mut().insert(identity);
    }
    let mut response = next.run(request).await;
    if let Some(signed_in) = signed_in {
        keep_private(response.headers_mut());
        response.extensions_mut().insert(signed_in.user.viewer());
    }
    session.write(response.headers_mut());
    response
}

/// Forbids caching of responses to a signed-in person, unless the handler has set `Cache-Control`.
fn keep_private(headers: &mut HeaderMap) {
    if let Entry::Vacant(cache) = headers.entry(header::CACHE_CONTROL) {
        cache.insert(HeaderValue::from_static("no-store"));
        headers.append(header::VARY, HeaderValue::from_static("Cookie"));
    }
}
