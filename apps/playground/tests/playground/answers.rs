//! The demos with one answer per action: body mass index and uppercase.

use bellwire_testkit::Window;
use serde_json::json;

use crate::support::{NASTY, assert_refused, playground};

#[tokio::test]
async fn a_height_and_a_weight_are_answered_with_the_index_as_numbers_and_as_text() {
    let site = playground().await;
    let mut plain = Window::open(&site.client(), "/ws/bmi/").await;
    for action in [
        json!({"height": 180, "weight": 75}),
        json!({"height": "180", "weight": "75.0"}),
        json!({"height": " 180 ", "weight": "75,0", "HEADERS": {"HX-Request": "true"}}),
        json!({"action": "BMI", "data": {"height": 180.0, "weight": "75"}}),
    ] {
        let answer = plain.answer(&action).await;
        assert_eq!(answer["action"], "BMI result", "{action}");
        let html = answer["html"].as_str().expect("HTML");
        for part in ["75 kg", "1.80 m", "23.1", "Normal"] {
            assert!(html.contains(part), "{part} in {html}");
        }
    }
    site.stop().await;
}

#[tokio::test]
async fn impossible_values_are_reported_beside_their_field_and_the_next_try_works() {
    let site = playground().await;
    let mut plain = Window::open(&site.client(), "/ws/bmi/").await;
    let mut page = Window::open(&site.client(), "/ws/bmi/?dialect=htmx").await;
    for wrong in [
        json!(0),
        json!(-1),
        json!("tall"),
        json!(1e300),
        json!(""),
        json!(null),
        json!([1]),
        json!({"a": 1}),
        json!(true),
        json!(NASTY),
        json!("1\0"),
    ] {
        let answer = plain.answer(&json!({"height": wrong, "weight": 75})).await;
        assert_eq!(
            (&answer["action"], &answer["field"]),
            (&json!("BMI error"), &json!("height")),
            "{answer}"
        );
        assert!(!answer["html"].as_str().expect("HTML").contains('<'), "{answer}");
        page.ask(&json!({"height": 180, "weight": wrong})).await;
        assert!(page.text().await.contains("innerHTML:#result"), "an old result would mislead");
        assert!(page.text().await.contains("innerHTML:#error--weight"));
    }
    // The page over HTTP shows the same error in the same element. The field refers to that
    // element, and bellwire.js uses the reference to mark the field.
    let by_http = site.client().get("/bmi/?height=180&weight=tall").await.text;
    assert!(
        by_http.contains("aria-invalid=\"true\" aria-describedby=\"error--weight\""),
        "{by_http}"
    );
    assert!(
        by_http.contains("id=\"error--weight\" role=\"alert\">A weight is a number"),
        "{by_http}"
    );
    for (part, missing) in [
        (json!({}), "height"),
        (json!({"weight": 75}), "height"),
        (json!({"height": 180}), "weight"),
        (json!({"action": "BMI", "data": {"height": 180}}), "weight"),
    ] {
        let answer = plain.answer(&part).await;
        assert_refused(&answer, Some(missing));
        assert_eq!(
            answer["action"],
            json!(null),
            "a missing field is not reported as an invalid one"
        );
    }
    assert_refused(&plain.answer(&json!({"action": "Dance"})).await, Some("action"));
    plain.say("no json").await;
    assert_refused(&plain.json().await, None);
    assert_eq!(plain.answer(&json!({"height": 150, "weight": 70})).await["action"], "BMI result");
    site.stop().await;
}

#[tokio::test]
async fn the_index_is_available_over_http() {
    let site = playground().await;
    let mut ada = site.client();
    let empty = ada.get("/bmi/").await;
    assert!(empty.status == 200 && !empty.text.contains("bmi__index"));
    let good = ada.get("/bmi/?height=180&weight=75").await;
    assert!(good.status == 200 && good.text.contains("23.1") && good.text.contains("Normal"));
    let bad = ada.get("/bmi/?height=%3Cscript%3E&weight=75").await;
    assert_eq!(bad.status, 422);
    assert!(bad.text.contains("A height is a number"), "{}", bad.text);
    assert!(bad.text.contains("value=\"&#60;script&#62;\""), "the input is kept, escaped");
    assert!(bad.text.contains("value=\"75\"") && !bad.text.contains("bmi__index"));
    site.stop().await;
}

#[tokio::test]
async fn text_is_returned_in_capitals_escaped_and_in_order() {
    let site = playground().await;
    let mut plain = Window::open(&site.client(), "/ws/uppercase/").await;
    let mut other = Window::open(&site.client(), "/ws/uppercase/").await;
    let uppercase =
        |text: &str| json!({"action": "text in capital letters", "data": {"text": text}});
    let answer = plain.answer(&uppercase("straße, ısı <b>")).await;
    assert_eq!(answer, json!({"selector": "#results", "html": "STRASSE, ISI &lt;B&gt;"}));
    let typed: Vec<String> = (1..=40)
        .map(|length| "type fast and faster than anybody reads!"[..length].to_owned())
        .collect();
    for text in &typed {
        plain.ask(&uppercase(text)).await;
    }
    for text in &typed {
        assert_eq!(plain.json().await["html"], text.to_uppercase());
    }
    assert_refused(&plain.answer(&uppercase(&"x".repeat(1001))).await, Some("text"));
    assert_refused(
        &plain.answer(&json!({"action": "text in capital letters", "data": {"text": 5}})).await,
        Some("text"),
    );
    assert_refused(
        &plain.answer(&json!({"action": "text in capital letters", "data": {}})).await,
        Some("text"),
    );
    // Others receive nothing: their first frame is the answer to their own action.
    assert_eq!(other.answer(&uppercase("mine")).await["html"], "MINE");
    let mut ada = site.client();
    let page = ada.get("/uppercase/?text=%3Cb%3E+%C3%9F").await;
    assert!(page.text.contains("&#60;B&#62; SS"), "{}", page.text);
    site.stop().await;
}
