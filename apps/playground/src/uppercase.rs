//! Uppercase: what is typed comes back in capital letters while it is typed.

use askama::Template;
use axum::Router;
use axum::extract::Query;
use axum::routing::get;
use bellwire_site::bellwire::{Action, Consumer, Error, Html, Patch, Socket};
use bellwire_site::{Page, SiteError, SiteState, Upgrade};
use serde::Deserialize;

/// The longest text, in characters.
const LONGEST: usize = 1_000;

pub(crate) fn routes() -> Router<SiteState> {
    let socket = async |upgrade: Upgrade| upgrade.run(Capitals);
    Router::new().route("/uppercase/", get(show)).route("/ws/uppercase/", get(socket))
}

#[derive(Deserialize)]
#[serde(tag = "action", content = "data")]
enum Ask {
    #[serde(rename = "text in capital letters")]
    Capitals { text: String },
}

impl Action for Ask {
    const FORM: Option<&'static str> = Some("text in capital letters");
}

struct Capitals;

impl Consumer for Capitals {
    type Action = Ask;
    type Event = ();

    async fn receive(
        &mut self,
        socket: &mut Socket,
        Ask::Capitals { text }: Ask,
    ) -> Result<(), Error> {
        let capitals = capitals(&text).map_err(|message| Error::invalid("text", message))?;
        socket.patch(Patch::inner("#results", Html::text(&capitals))).await
    }
}

/// As Unicode has it: `ß` becomes `SS`, and `ı` an `I`.
fn capitals(text: &str) -> Result<String, String> {
    match text.chars().count() > LONGEST {
        true => Err(format!("That is too long: at most {LONGEST} characters.")),
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
    let about = "Type, and read it in capital letters as you type.";
    let page = crate::page("Uppercase", about, &UppercasePage { capitals: capitals(&text), text })?;
    Ok(page.script("playground/uppercase_controller.js").connect("/ws/uppercase/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capitals_are_those_of_unicode() {
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
            capitals(&"x".repeat(LONGEST)).is_ok() && capitals(&"x".repeat(LONGEST + 1)).is_err()
        );
    }
}
