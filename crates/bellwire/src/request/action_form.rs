//! [`ActionForm`]: the same action by a form as over a connection.

use axum::extract::{Form, FromRequest, Request};
use axum::response::IntoResponse;
use serde_json::{Map, Value};

use crate::{Action, Error, Frame, FromFrame, Refusal};

/// An extractor that reads a submitted form as an action, with the names and errors that it has over
/// a connection.
///
/// The field `action` names the action; without it, it is the one of a bare form
/// ([`Action::FORM`]). A field that occurs more than once is a list. Numbers arrive as text, so
/// read them with [`serde::lenient_int`](crate::serde::lenient_int).
///
/// ```
/// use axum::response::{Redirect, Response};
/// use bellwire::{Action, ActionForm, Answer, Error};
///
/// #[derive(Action)]
/// enum Ask {
///     #[action(form)]
///     Say { text: String },
/// }
///
/// // Used by the consumer as well.
/// async fn perform(ask: Ask) -> Result<(), Error> {
///     let Ask::Say { text } = ask;
///     match text.as_str() {
///         "" => Err(Error::refuse("text", "Type a message.")),
///         _ => Ok(()),
///     }
/// }
///
/// async fn say(answer: Answer, ActionForm(ask): ActionForm<Ask>) -> Result<Response, Error> {
///     perform(ask).await?;
///     Ok(answer.ok(Redirect::to("/")))
/// }
/// # let _ = axum::routing::post::<_, _, ()>(say);
/// ```
#[derive(Debug)]
pub struct ActionForm<A>(pub A);

impl<A: Action, S: Send + Sync> FromRequest<S> for ActionForm<A> {
    type Rejection = Error;

    async fn from_request(request: Request, state: &S) -> Result<Self, Error> {
        let fields = match Form::<Vec<(String, String)>>::from_request(request, state).await {
            Ok(Form(fields)) => fields,
            Err(rejection) => {
                let refusal = Refusal::general(rejection.body_text());
                return Err(refusal.status(rejection.into_response().status()).into());
            }
        };
        Ok(Self(A::from_frame(Frame::Text(object(fields).to_string()))?))
    }
}

/// The fields as a JSON object.
fn object(fields: Vec<(String, String)>) -> Value {
    let mut object = Map::new();
    for (name, value) in fields {
        let value = Value::String(value);
        match object.get_mut(&name) {
            None => drop(object.insert(name, value)),
            Some(Value::Array(values)) => values.push(value),
            Some(first) => *first = Value::Array(vec![first.take(), value]),
        }
    }
    Value::Object(object)
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    #[derive(Debug, PartialEq, serde::Deserialize)]
    #[serde(tag = "action", content = "data")]
    enum Ask {
        Say { text: String },
        Pick { id: Vec<String> },
    }

    impl Action for Ask {
        const FORM: Option<&'static str> = Some("Say");
    }

    async fn read(body: &'static str) -> Result<Ask, String> {
        let request = Request::post("/")
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Body::from(body))
            .unwrap();
        let read = ActionForm::<Ask>::from_request(request, &()).await;
        read.map(|ActionForm(ask)| ask).map_err(|error| error.to_string())
    }

    #[tokio::test]
    async fn a_form_is_the_action_that_it_names_or_the_one_of_a_bare_form() {
        assert_eq!(read("text=Hi+there").await, Ok(Ask::Say { text: "Hi there".into() }));
        let pick = Ask::Pick { id: vec!["1".into(), "2".into()] };
        assert_eq!(read("action=Pick&id=1&id=2").await, Ok(pick));
        assert_eq!(read("action=Shout&text=Hi").await, Err("Unknown action `Shout`.".into()));
        assert_eq!(read("").await, Err("`text` is missing.".into()));
    }
}
