//! Streams, and actions by HTTP.

use axum::http::StatusCode;
use axum::response::Redirect;
use bellwire_browser_tests::{NetworkError, Person};
use serde_json::json;

use super::app::{App, Content, open, open_page};
use super::page::{SAYING, body, comes_true, hears, holds, says, signs_in, value};

/// Opens the page by a stream, as the network of this tab blocks WebSockets.
async fn opens_by_stream(person: &Person) {
    person.visit("/blank").await;
    person.run_script("sessionStorage['bellwire:blocked'] = true", &[]).await;
    person.visit("/").await;
    person.is_connected().await;
    let transport = value(person, "document.documentElement.dataset.bellwireTransport").await;
    assert_eq!(transport, "stream");
}

async fn open_by_stream(content: Content) -> (Person, App) {
    let (browsers, app) = open(content).await;
    app.page("/blank", Content::Plain("<link rel=icon href='data:,'>".to_owned()));
    let ada = browsers.person("Ada").await;
    ada.visit("/blank").await;
    signs_in(&ada, "user.ada").await;
    opens_by_stream(&ada).await;
    (ada, app)
}

#[tokio::test]
async fn a_stream_receives_frames_and_its_kept_actions_go_by_http_one_after_the_other() {
    let page =
        format!("{SAYING}<form id=once bw-send=Once method=post action=/post/once><button></form>");
    let (ada, app) = open_by_stream(Content::Owned(body(&page).replace("home", "binary"))).await;
    let opened = app.connections.next().await;
    let origin = value(&ada, "encodeURIComponent(location.origin)").await;
    let origin = origin.as_str().unwrap_or_default();
    assert_eq!(opened, format!("/live?dialect=htmx&at=binary&hello=1&origin={origin}"));
    app.shows(&ada, "<p hx-swap-oob=\"innerHTML:#error--text\">a frame</p>").await;
    ada.reads("#error--text", "a frame").await;

    app.holds_back();
    says(&ada, "one & two").await;
    let first = app.posts.next().await;
    assert!(holds(&ada, "form.ariaBusy === 'true'").await);
    ada.reads("#error--text", "").await;
    says(&ada, "three").await;
    comes_true(&ada, "bellwire.pending().length === 2").await;
    app.answers(1);
    let second = app.posts.next().await;
    app.answers(1);
    comes_true(&ada, "bellwire.pending().length === 0").await;
    assert!(holds(&ada, "!form.ariaBusy").await);
    let ids =
        "events.filter(([name]) => name === 'answered').map(([, , { clientId }]) => clientId)";
    let ids = value(&ada, ids).await;
    for (post, id, text) in [(first, &ids[0], "one+%26+two"), (second, &ids[1], "three")] {
        assert_eq!(post.path, "/post/say");
        assert_eq!(post.body, format!("client_id={}&text={text}", id.as_str().unwrap_or_default()));
        assert_eq!(post.header("bellwire-request"), "1");
        assert_eq!(post.header("bellwire-person"), "user.ada");
        assert!(post.header("content-type").starts_with("application/x-www-form-urlencoded"));
    }
    says(&ada, "cancelled").await;
    app.posts.next().await;
    let cancel = "events.length = 0; return bellwire.cancel(bellwire.pending()[0].id)";
    assert_eq!(ada.run_script(cancel, &[]).await, true, "though it is under way");
    says(&ada, "four").await;
    app.answers(2);
    assert!(app.posts.next().await.body.contains("text=four"));
    let four = hears(&ada, "answered").await;
    assert_eq!(four[1]["data"]["text"], "four");
    assert_eq!(value(&ada, "events.filter(([name]) => name === 'answered').length").await, 1);
    app.answers(100);
    ada.presses("#once button").await;
    let post = app.posts.next().await;
    assert_eq!((&*post.path, post.header("bellwire-request")), ("/post/once", ""));

    // On a socket a binary frame is ignored as well.
    ada.run_script("sessionStorage.removeItem('bellwire:blocked')", &[]).await;
    ada.visit("/").await;
    ada.is_connected().await;
    app.shows(&ada, "<p hx-swap-oob=\"innerHTML:#error--text\">a frame</p>").await;
    let told = ada.console_messages().await.join("\n");
    assert!(told.contains("a binary frame is ignored"), "{told}");
}

#[tokio::test]
async fn only_the_header_is_an_answer_to_a_form_and_all_others_are_told_apart() {
    let (ada, app) = open_by_stream(Content::Owned(body(SAYING))).await;
    ada.expects(NetworkError::Status(422));
    ada.expects(NetworkError::Status(404));
    ada.expects(NetworkError::Status(503));
    ada.expects(NetworkError::Status(401));
    let refusal = |kind: &'static str, body: &'static str| {
        let headers =
            [("Bellwire-Answer", "refused"), ("Content-Type", kind), ("Bellwire-Field", "%74ext")];
        (StatusCode::UNPROCESSABLE_ENTITY, headers, body)
    };
    let says = async |text: &str| {
        ada.run_script("events.length = 0", &[]).await;
        says(&ada, text).await;
        app.posts.next().await;
    };
    let refused = async || {
        let refused = hears(&ada, "refused").await;
        assert_eq!(value(&ada, "bellwire.pending().length").await, 0);
        json!([refused[1]["field"], refused[1]["error"]])
    };
    app.responds(refusal("text/plain", "Too <b>short</b>."));
    says("a").await;
    assert_eq!(refused().await, json!(["text", "Too <b>short</b>."]));
    ada.reads("#error--text", "Too <b>short</b>.").await;
    assert!(holds(&ada, "document.querySelector('#text').ariaInvalid === 'true'").await);

    let page = "<p id=error></p><p id=error--more>Too <b>long</b>.</p><p id=error--text>No.</p>";
    app.responds(refusal("text/html; charset=utf-8", page));
    says("b").await;
    assert_eq!(refused().await, json!(["more", "Too long."]));
    app.responds(refusal("text/html", "<p id=error>Not now.</p>"));
    says("c").await;
    assert_eq!(refused().await, json!([null, "Not now."]));
    ada.reads("#error", "Not now.").await;

    app.responds(StatusCode::NOT_FOUND);
    says("d").await;
    assert_eq!(refused().await, json!([null, "It was not accepted. Please load the page again."]));

    let uncertain = "It is not certain whether this was accepted. Look before you send it again.";
    app.page("/done/", Content::Of("done".to_owned()));
    app.responds(Redirect::to("/done/"));
    says("e").await;
    assert_eq!(refused().await, json!([null, uncertain]));
    let told = ada.console_messages().await.join("\n");
    assert!(told.contains("POST /post/say") && told.contains("Bellwire-Answer"), "{told}");

    ada.run_script("clock.stop()", &[]).await;
    app.responds((StatusCode::SERVICE_UNAVAILABLE, [("Retry-After", "7")]));
    says("f").await;
    comes_true(&ada, "clock.delays().includes(7000)").await;
    ada.run_script("clock.pass(7000)", &[]).await;
    assert!(app.posts.next().await.body.contains("text=f"));
    hears(&ada, "answered").await;

    // Somebody has signed out.
    app.responds(StatusCode::UNAUTHORIZED);
    signs_in(&ada, "").await;
    says("g").await;
    let unanswered = hears(&ada, "unanswered").await;
    assert_eq!((&unanswered[0], &unanswered[1]["data"]["text"]), (&json!("form"), &json!("g")));
    ada.find("#connection-sign-in").await;
    assert!(
        holds(&ada, "document.querySelector('#connection-sign-in a').href === location.href").await
    );
    assert_eq!(value(&ada, "bellwire.pending()[0].data.text").await, "g");
    signs_in(&ada, "user.ada").await;
    ada.run_script("bellwire.reconnect()", &[]).await;
    assert!(
        holds(&ada, "document.querySelector('#connection-sign-in').hidden").await,
        "a new state"
    );
    assert!(app.posts.next().await.body.contains("text=g"));
    hears(&ada, "answered").await;
}

#[tokio::test]
async fn a_script_posts_a_form_once_and_without_events() {
    let (ada, app) = open_page(Content::Of(body(SAYING))).await;
    ada.expects(NetworkError::Status(503));
    ada.expects(NetworkError::Status(401));
    ada.expects(NetworkError::Status(422));
    app.page("/sign-in", Content::Of("Please sign in.".to_owned()));
    let before = value(&ada, "events.length").await;
    let posts = async || {
        let script = "document.querySelector('#text').value = 'hello'
            const answer = bellwire.post(document.querySelector('#form'))
            const wasBusy = document.querySelector('#form').ariaBusy
            return answer.then(({ result, error, field }) => [wasBusy, result, error, field])";
        ada.run_script(script, &[]).await
    };
    let refused = [("Bellwire-Answer", "refused"), ("Bellwire-Field", "text")];
    assert_eq!(posts().await, json!(["true", "accepted", null, null]));
    app.responds((StatusCode::UNPROCESSABLE_ENTITY, refused, "Too long."));
    assert_eq!(posts().await, json!(["true", "refused", "Too long.", "text"]));
    ada.reads("#error--text", "Too long.").await;
    app.responds(StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(posts().await, json!(["true", "later", null, null]));
    ada.reads("#error--text", "").await;
    app.responds(StatusCode::UNAUTHORIZED);
    app.page("/", Content::Elsewhere("/sign-in"));
    assert_eq!(posts().await, json!(["true", "unanswered", null, null]));
    ada.find("#connection-sign-in").await;
    assert!(
        holds(&ada, "document.querySelector('#connection-sign-in a').pathname === '/sign-in'")
            .await
    );
    assert!(holds(&ada, "!document.querySelector('#form').ariaBusy").await);
    assert_eq!(value(&ada, "events.length").await, before);
    let mut ids = Vec::new();
    for _ in 0..4 {
        ids.push(app.posts.next().await.body);
    }
    ids.dedup();
    assert_eq!(ids.len(), 4, "each has its own id: {ids:?}");
}
