//! [`Answer`]: the response to a form that a page may have sent by script.

use axum::extract::FromRequestParts;
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use http::{HeaderName, HeaderValue, StatusCode};

use crate::error::ANSWER;
use crate::{Error, Identity, Refusal};

/// The header of a request that bellwire.js sends in place of the browser.
const REQUEST: HeaderName = HeaderName::from_static("bellwire-request");
/// The header with the person for whom the page of the form was made.
const PERSON: HeaderName = HeaderName::from_static("bellwire-person");

/// An extractor for the handler of a form, whose success it answers.
///
/// A page without JavaScript submits the form itself, and wants a page or a redirect. bellwire.js
/// submits it while the page has no socket, and keeps what was typed until the server answers:
/// without this response, a redirect to a sign-in page would count as success. An
/// [`Error`](crate::Error) answers as well, with its sentence.
///
/// A form of another person than the one who is signed in now is refused with 401, if the request
/// has an [`Identity`]; see [`ensure_person`](Self::ensure_person) otherwise.
///
/// ```
/// use axum::Form;
/// use axum::response::{Redirect, Response};
/// use bellwire::{Answer, Error};
///
/// #[derive(serde::Deserialize)]
/// struct Bid {
///     amount: u32,
/// }
///
/// async fn bid(answer: Answer, Form(bid): Form<Bid>) -> Result<Response, Error> {
///     if bid.amount == 0 {
///         return Err(Error::refuse("amount", "Bid at least 1."));
///     }
///     Ok(answer.ok(Redirect::to("/auction/7/")))
/// }
/// # let _ = axum::routing::post::<_, _, ()>(bid);
/// ```
#[derive(Debug)]
pub struct Answer {
    is_script: bool,
    person: Option<String>,
}

impl Answer {
    /// The answer to a form that was accepted: `page` for a browser, and an empty response that
    /// counts as the answer for bellwire.js.
    pub fn ok(self, page: impl IntoResponse) -> Response {
        let mut response = match self.is_script {
            true => StatusCode::NO_CONTENT.into_response(),
            false => page.into_response(),
        };
        response.headers_mut().insert(ANSWER, HeaderValue::from_static("ok"));
        response
    }

    /// Checks that the page of the form was made for this person, by the key that the page has in its
    /// head; `None` if nobody is signed in.
    ///
    /// # Errors
    /// A refusal with status 401 if it was made for somebody else.
    pub fn ensure_person(&self, key: Option<&str>) -> Result<(), Error> {
        match &self.person {
            Some(person) if Some(&**person) != key => Err(other_person().into()),
            _ => Ok(()),
        }
    }
}

fn other_person() -> Refusal {
    Refusal::general("You are signed in as somebody else. Load the page again.")
        .status(StatusCode::UNAUTHORIZED)
}

impl<S: Send + Sync> FromRequestParts<S> for Answer {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Error> {
        let person = parts.headers.get(PERSON);
        let person = person.map(|key| String::from_utf8_lossy(key.as_bytes()).into_owned());
        let answer = Self { is_script: parts.headers.contains_key(REQUEST), person };
        if let Some(identity) = parts.extensions.get::<Identity>() {
            answer.ensure_person(identity.owner())?;
        }
        Ok(answer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn answer(headers: &[(&str, &str)], identity: Option<Identity>) -> Result<Answer, u16> {
        let mut request = http::Request::post("/");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut parts = request.body(()).unwrap().into_parts().0;
        if let Some(identity) = identity {
            parts.extensions.insert(identity);
        }
        let answer = Answer::from_request_parts(&mut parts, &()).await;
        answer.map_err(|error| error.into_response().status().as_u16())
    }

    #[tokio::test]
    async fn a_browser_gets_the_page_and_a_script_the_answer_alone() {
        for (headers, status) in [(&[][..], 303), (&[("bellwire-request", "1")], 204)] {
            let answer = answer(headers, None).await.unwrap();
            let response = answer.ok(axum::response::Redirect::to("/next/"));
            assert_eq!(response.status().as_u16(), status);
            assert_eq!(response.headers()[ANSWER], "ok");
        }
    }

    #[tokio::test]
    async fn a_form_of_another_person_is_refused_and_not_answered() {
        let ada = [("bellwire-person", "user.ada")];
        let is = |key: &str| Some(Identity::default().with_person(key));
        assert!(answer(&ada, is("user.ada")).await.is_ok());
        assert_eq!(answer(&ada, is("user.ben")).await.err(), Some(401));
        assert_eq!(answer(&ada, Some(Identity::default())).await.err(), Some(401));
        assert!(answer(&[], is("user.ben")).await.is_ok(), "the page names nobody");
        let unknown = answer(&ada, None).await.unwrap();
        assert!(unknown.ensure_person(Some("user.ada")).is_ok());
        assert!(unknown.ensure_person(Some("user.ben")).is_err());
        assert!(unknown.ensure_person(None).is_err());
    }
}
