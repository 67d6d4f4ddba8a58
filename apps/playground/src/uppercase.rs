//! Uppercase: returns the text in capital letters while the visitor types.

use askama::Template;
use axum::Router;
use axum::extract::Query;
use axum::routing::get;
use bellwire_site::bellwire::{Action, Consumer, Error, Html, Patch, Socket};
use bellwire_site::{Live, Page, SiteError, SiteState};
use serde::Deserialize;

/// The longest text, in characters.
const MAX_CHARS: usize = 1_000;

pub(crate) fn routes() -> Router<SiteState> {
    let live = async |live: Live| live.run(Capitals);
    Router::new().route("/uppercase/", get(show)).route("/ws/uppercase/", get(live))
}

#[derive(Action)]
pub(crate) enum UppercaseAction {
    #[action(form)]
    #[serde(rename = "text in capital letters")]
    Capitals { text: String },
}

struct Capitals;

impl Consumer for Capitals {
    type Action = UppercaseAction;
    type Event = ();
    type Error = Error;

    async fn receive(
        &mut self,
        socket: &mut Socket<Self>,
        UppercaseAction::Capitals { text }: UppercaseAction,
    ) -> Result<(), Error> {
        let capitals = capitals(&text).map_err(|message| Error::refuse("text", message))?;
        socket.patch(Patch::inner("#results", Html::text(&capitals))).await
    }
}

/// Converts by the rules of Unicode: `ß` becomes `SS`, and `ı` becomes `I`.
fn capitals(text: &str) -> Result<String, String> {
    match text.chars().count() > MAX_CHARS {
        true => Err(format!("The text is too long: at most {MAX_CHARS} characters.")),
        false => Ok(text.to_uppercase()),
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Form {
    text: String,
}

#[derive(Template)]
#[template(path = "playground/uppercase.html")]
struct UppercasePage {
    text: String,
    capitals: Result<String, String>,
}

async fn show(Query(Form { text }): Query<Form>) -> Result<Page, SiteError> {
    let about = "Your text in capital letters, while you type.";
    let page = crate::page("Uppercase", about, &UppercasePage { capitals: capitals(&text), text })?;
    Ok(page.connect("/ws/uppercase/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capitals_follow_unicode() {
        for (small, capital) in [
            ("straße", "STRASSE"),
            ("ısı", "ISI"),
            ("ŉ", "ʼN"),
            ("ὀδυσσεύς", "ὈΔΥΣΣΕΎΣ"),
            ("👋🏽", "👋🏽"),
        ] {
            assert_eq!(capitals(small).as_deref(), Ok(capital));
        }
        assert!(
            capitals(&"x".repeat(MAX_CHARS)).is_ok()
                && capitals(&"x".repeat(MAX_CHARS + 1)).is_err()
        );
    }
}
