//! Body mass index: a form that is answered over the socket, or by HTTP without JavaScript.

use askama::Template;
use axum::Router;
use axum::extract::Query;
use axum::http::StatusCode;
use axum::routing::get;
use bellwire_site::bellwire::{Action, Consumer, Dialect, Error, Html, Patch, Socket};
use bellwire_site::{Live, Page, SiteError, SiteState};
use serde::Deserialize;
use serde_json::json;

/// The least and the greatest accepted height in cm and weight in kg, and an example of each.
const HEIGHTS: (f64, f64, f64) = (40.0, 280.0, 175.0);
const WEIGHTS: (f64, f64, f64) = (1.0, 700.0, 70.0);

pub(crate) fn routes() -> Router<SiteState> {
    let live = async |live: Live| live.run(BmiConsumer);
    Router::new().route("/bmi/", get(show)).route("/ws/bmi/", get(live))
}

/// A submitted value: a JSON number, a string, or anything else.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum Input {
    Number(f64),
    Text(String),
    Null,
    Other(serde::de::IgnoredAny),
}

impl Input {
    fn number(&self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Text(text) => text.trim().replace(',', ".").parse().ok(),
            Self::Null | Self::Other(_) => None,
        }
    }

    fn is_empty(&self) -> bool {
        matches!(self, Self::Null) || matches!(self, Self::Text(text) if text.trim().is_empty())
    }
}

#[derive(Debug, Action)]
pub(crate) enum BmiAction {
    #[action(form)]
    #[serde(rename = "BMI")]
    Bmi { height: Input, weight: Input },
}

/// The name of an invalid field, and the error text.
type FieldError = (&'static str, String);

#[derive(Debug, PartialEq, Template)]
#[template(path = "playground/_bmi_result.html")]
struct Bmi {
    height: f64,
    weight: f64,
    index: f64,
    class: &'static str,
}

impl Bmi {
    fn of(height: &Input, weight: &Input) -> Result<Self, Vec<FieldError>> {
        match (within("height", "cm", HEIGHTS, height), within("weight", "kg", WEIGHTS, weight)) {
            (Ok(height), Ok(weight)) => Ok(Self::new(height, weight)),
            (height, weight) => Err([height.err(), weight.err()].into_iter().flatten().collect()),
        }
    }

    /// Takes the height in cm and the weight in kg. The formula avoids fractions of a metre, so
    /// that an index of exactly 25 is not rounded to slightly less.
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
    (least, greatest, example): (f64, f64, f64),
    input: &Input,
) -> Result<f64, FieldError> {
    if input.is_empty() {
        return Err((field, format!("Please type your {field} in {unit}.")));
    }
    match input.number() {
        Some(number) if (least..=greatest).contains(&number) => Ok(number),
        Some(number) if number.is_finite() => {
            Err((field, format!("A {field} is between {least} and {greatest} {unit}.")))
        }
        _ => Err((field, format!("A {field} is a number, such as {example} {unit}."))),
    }
}

struct BmiConsumer;

impl Consumer for BmiConsumer {
    type Action = BmiAction;
    type Event = ();
    type Error = Error;

    async fn receive(
        &mut self,
        socket: &mut Socket<Self>,
        BmiAction::Bmi { height, weight }: BmiAction,
    ) -> Result<(), Error> {
        match Bmi::of(&height, &weight) {
            Ok(bmi) => socket.patch(result(&bmi)?).await,
            Err(errors) => {
                if socket.dialect() == Dialect::Htmx {
                    socket.patch(Patch::inner("#result", Html::text(""))).await?;
                }
                for field_error in errors {
                    socket.patch(error(field_error)).await?;
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

fn error((field, message): FieldError) -> Patch {
    let html = Html::text(&message);
    let plain = json!({ "action": "BMI error", "field": field, "html": html.as_str() });
    Patch::inner(format!("#error--{field}"), html).json_text(plain.to_string())
}

/// The query of the form, over HTTP.
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
    errors: Vec<FieldError>,
    bmi: Option<Bmi>,
}

impl BmiPage {
    fn error(&self, field: &str) -> &str {
        self.errors.iter().find(|error| error.0 == field).map_or("", |error| &error.1)
    }
}

async fn show(Query(form): Query<Form>) -> Result<Page, SiteError> {
    let about = "Your body mass index, from your height and weight, without leaving the page.";
    let is_submitted = !(form.height.is_empty() && form.weight.is_empty());
    let bmi = Bmi::of(&Input::Text(form.height.clone()), &Input::Text(form.weight.clone()));
    let (bmi, errors) = match bmi {
        _ if !is_submitted => (None, Vec::new()),
        Ok(bmi) => (Some(bmi), Vec::new()),
        Err(errors) => (None, errors),
    };
    let status = if errors.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let page = crate::page("Body mass index", about, &BmiPage { form, errors, bmi })?;
    Ok(page.status(status).connect("/ws/bmi/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(height: &str, weight: &str) -> Result<Bmi, Vec<&'static str>> {
        let input = |text: &str| Input::Text(text.to_owned());
        Bmi::of(&input(height), &input(weight))
            .map_err(|errors| errors.into_iter().map(|error| error.0).collect())
    }

    #[test]
    fn the_index_has_one_decimal_and_a_class() {
        for (height, weight, index, class) in [
            ("180", "75", 23.1, "Normal"),
            ("200", "74", 18.5, "Normal"),
            ("160", "64", 25.0, "Overweight"),
            // The class is computed before the index is rounded.
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
    fn impossible_values_are_reported_for_their_field() {
        for absurd in ["0", "-180", "1e9", "NaN", "inf", "tall", "", " ", "18\0", "½"] {
            assert_eq!(of(absurd, "75"), Err(vec!["height"]), "{absurd:?}");
            assert_eq!(of("180", absurd), Err(vec!["weight"]), "{absurd:?}");
        }
        assert_eq!(of("", "x"), Err(vec!["height", "weight"]));
    }
}
