//! Body mass index: a form that is answered over the socket, or by HTTP where there is none.

use askama::Template;
use axum::Router;
use axum::extract::Query;
use axum::http::StatusCode;
use axum::routing::get;
use bellwire_site::bellwire::{Action, Consumer, Dialect, Error, Html, Patch, Socket};
use bellwire_site::{Page, SiteError, SiteState, Upgrade};
use serde::Deserialize;
use serde_json::json;

/// What a person may measure, in cm, and weigh, in kg; and what many do.
const HEIGHTS: (f64, f64, f64) = (40.0, 280.0, 175.0);
const WEIGHTS: (f64, f64, f64) = (1.0, 700.0, 70.0);

pub(crate) fn routes() -> Router<SiteState> {
    let socket = async |upgrade: Upgrade| upgrade.run(Scales);
    Router::new().route("/bmi/", get(show)).route("/ws/bmi/", get(socket))
}

/// A number as it was typed or sent.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Typed {
    Number(f64),
    Text(String),
    Nothing,
    Else(serde::de::IgnoredAny),
}

impl Typed {
    fn number(&self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Text(text) => text.trim().replace(',', ".").parse().ok(),
            Self::Nothing | Self::Else(_) => None,
        }
    }

    fn is_empty(&self) -> bool {
        matches!(self, Self::Nothing) || matches!(self, Self::Text(text) if text.trim().is_empty())
    }
}

#[derive(Debug, Deserialize)]
#[serde(tag = "action", content = "data")]
enum Ask {
    #[serde(rename = "BMI")]
    Bmi { height: Typed, weight: Typed },
}

impl Action for Ask {
    const FORM: Option<&'static str> = Some("BMI");
}

/// What is wrong with a field, in a sentence.
type Wrong = (&'static str, String);

#[derive(Debug, PartialEq, Template)]
#[template(path = "playground/_bmi_result.html")]
struct Bmi {
    height: f64,
    weight: f64,
    index: f64,
    class: &'static str,
}

impl Bmi {
    fn of(height: &Typed, weight: &Typed) -> Result<Self, Vec<Wrong>> {
        match (within("height", "cm", HEIGHTS, height), within("weight", "kg", WEIGHTS, weight)) {
            (Ok(height), Ok(weight)) => Ok(Self::new(height, weight)),
            (height, weight) => Err([height.err(), weight.err()].into_iter().flatten().collect()),
        }
    }

    /// Of somebody so many centimetres tall: dividing by whole numbers, an index that is just 25 is
    /// not a little less.
    fn new(height: f64, weight: f64) -> Self {
        let index = weight * 10_000.0 / (height * height);
        let class = match index {
            ..18.5 => "Underweight",
            ..25.0 => "Normal",
            ..30.0 => "Overweight",
            _ => "Obese",
        };
        Self { height: height / 100.0, weight, index: (index * 10.0).round() / 10.0, class }
    }
}

fn within(
    field: &'static str,
    unit: &str,
    (least, most, usual): (f64, f64, f64),
    typed: &Typed,
) -> Result<f64, Wrong> {
    if typed.is_empty() {
        return Err((field, format!("Please type your {field} in {unit}.")));
    }
    match typed.number() {
        Some(number) if (least..=most).contains(&number) => Ok(number),
        Some(number) if number.is_finite() => {
            Err((field, format!("A {field} is between {least} and {most} {unit}.")))
        }
        _ => Err((field, format!("A {field} is a number, such as {usual} {unit}."))),
    }
}

struct Scales;

impl Consumer for Scales {
    type Action = Ask;
    type Event = ();

    async fn receive(
        &mut self,
        socket: &mut Socket,
        Ask::Bmi { height, weight }: Ask,
    ) -> Result<(), Error> {
        match Bmi::of(&height, &weight) {
            Ok(bmi) => socket.patch(result(&bmi)?).await,
            Err(wrongs) => {
                if socket.dialect() == Dialect::Htmx {
                    socket.patch(Patch::inner("#result", Html::text(""))).await?;
                }
                for wrong in wrongs {
                    socket.patch(error(wrong)).await?;
                }
                Ok(())
            }
        }
    }
}

fn result(bmi: &Bmi) -> Result<Patch, Error> {
    let html = Html::from_template(bmi)?;
    let plain = json!({ "action": "BMI result", "html": html.as_str() });
    Ok(Patch::inner("#result", html).json_text(plain.to_string()))
}

fn error((field, message): Wrong) -> Patch {
    let html = Html::text(&message);
    let plain = json!({ "action": "BMI error", "field": field, "html": html.as_str() });
    Patch::inner(format!("#error--{field}"), html).json_text(plain.to_string())
}

/// What was typed into the form, as it comes by HTTP.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Form {
    height: String,
    weight: String,
}

#[derive(Template)]
#[template(path = "playground/bmi.html")]
struct BmiPage {
    form: Form,
    wrongs: Vec<Wrong>,
    bmi: Option<Bmi>,
}

impl BmiPage {
    fn wrong(&self, field: &str) -> &str {
        self.wrongs.iter().find(|wrong| wrong.0 == field).map_or("", |wrong| &wrong.1)
    }
}

async fn show(Query(form): Query<Form>) -> Result<Page, SiteError> {
    let about = "Your body mass index, from your height and weight, without leaving the page.";
    let is_asked = !(form.height.is_empty() && form.weight.is_empty());
    let bmi = Bmi::of(&Typed::Text(form.height.clone()), &Typed::Text(form.weight.clone()));
    let (bmi, wrongs) = match bmi {
        _ if !is_asked => (None, Vec::new()),
        Ok(bmi) => (Some(bmi), Vec::new()),
        Err(wrongs) => (None, wrongs),
    };
    let status = if wrongs.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let page = crate::page("Body mass index", about, &BmiPage { form, wrongs, bmi })?;
    Ok(page.status(status).connect("/ws/bmi/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(height: &str, weight: &str) -> Result<Bmi, Vec<&'static str>> {
        let typed = |text: &str| Typed::Text(text.to_owned());
        Bmi::of(&typed(height), &typed(weight))
            .map_err(|wrongs| wrongs.into_iter().map(|wrong| wrong.0).collect())
    }

    #[test]
    fn the_index_has_one_decimal_and_a_word() {
        for (height, weight, index, class) in [
            ("180", "75", 23.1, "Normal"),
            ("200", "74", 18.5, "Normal"),
            ("160", "64", 25.0, "Overweight"),
            // What is rounded for the eye is not rounded for the word.
            ("200", "73.9", 18.5, "Underweight"),
            ("200", "99.84", 25.0, "Normal"),
            ("200", "119.9", 30.0, "Overweight"),
            ("200", "73.6", 18.4, "Underweight"),
            ("200", "100", 25.0, "Overweight"),
            ("200", "99.6", 24.9, "Normal"),
            ("200", "120", 30.0, "Obese"),
            ("200", "119,6", 29.9, "Overweight"),
        ] {
            let bmi = of(height, weight).unwrap();
            assert_eq!((bmi.index, bmi.class), (index, class), "{height} {weight}");
        }
    }

    #[test]
    fn what_nobody_measures_is_explained_for_its_field() {
        for absurd in ["0", "-180", "1e9", "NaN", "inf", "tall", "", " ", "18\0", "½"] {
            assert_eq!(of(absurd, "75"), Err(vec!["height"]), "{absurd:?}");
            assert_eq!(of("180", absurd), Err(vec!["weight"]), "{absurd:?}");
        }
        assert_eq!(of("", "x"), Err(vec!["height", "weight"]));
    }
}
