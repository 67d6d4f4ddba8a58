//! The single-page site: every page over HTTP, and the same over the socket.

use bellwire_testkit::{Client, PASSWORD, TestSite, Window};
use serde_json::{Value, json};

use crate::support::{NASTY, assert_refused, open_with_tasks, playground};

fn change(page: &str) -> Value {
    json!({"action": "Change page", "data": {"page": page}})
}

/// Changes the page, and returns the frames for `#nav` and `#main`.
async fn change_page(window: &mut Window, page: &str) -> (Value, Value) {
    let nav = window.answer(&change(page)).await;
    assert_eq!(nav["selector"], "#nav", "{nav}");
    let main = window.json().await;
    assert_eq!(main["selector"], "#main", "{main}");
    (nav, main)
}

fn html(frame: &Value) -> &str {
    frame["html"].as_str().unwrap_or_else(|| panic!("no HTML: {frame}"))
}

#[tokio::test]
async fn every_page_is_the_same_over_the_socket_and_over_http() {
    let site = playground().await;
    let mut ada = site.client();
    ada.get("/pages/").await;
    let mut window = open_with_tasks(&ada, "/ws/example/").await;
    for (page, url, heading) in [
        ("home", "/pages/", "Single-page site"),
        ("login", "/pages/login/", "Sign in"),
        ("signup", "/pages/signup/", "Sign up"),
    ] {
        let (nav, main) = change_page(&mut window, page).await;
        assert_eq!(main["url"], url);
        assert!(html(&main).contains(&format!("<h1>{heading}</h1>")), "{main}");
        let current = format!(
            "href=\"{url}\" bw-send=\"Change page\" bw-data='{{\"page\":\"{page}\"}}' aria-current=\"page\""
        );
        assert!(
            html(&nav).contains(&current) && html(&nav).matches("aria-current").count() == 1,
            "{nav}"
        );
        let alone = ada.get(url).await;
        assert_eq!(alone.status, 200);
        assert!(
            alone.text.contains(html(&main).trim()) && alone.text.contains(&current),
            "{page} is the same over HTTP"
        );
        assert!(
            alone.text.contains(&format!("<title>{}</title>", main["title"].as_str().unwrap()))
        );
    }
    site.stop().await;
}

#[tokio::test]
async fn unknown_pages_are_reported_and_the_profile_requires_a_user() {
    let site = playground().await;
    let mut ada = site.client();
    assert_eq!(ada.get("/pages/nonsense/").await.status, 404);
    assert_eq!(ada.get("/pages/%00/").await.status, 404);
    assert_eq!(ada.get("/pages/profile/").await.location(), "/pages/login/");
    let mut window = open_with_tasks(&ada, "/ws/example/").await;
    for unknown in ["nonsense", "", NASTY, "\0", &"x".repeat(5_000)] {
        let (nav, main) = change_page(&mut window, unknown).await;
        assert!(html(&main).contains("404") && !html(&main).contains("script"), "{main}");
        assert!(!html(&nav).contains("aria-current"), "{nav}");
        assert_eq!(
            ada.get(main["url"].as_str().expect("an address")).await.status,
            404,
            "a reload shows the same"
        );
    }
    let (_, main) = change_page(&mut window, "profile").await;
    assert_eq!(main["url"], "/pages/login/");
    for (wrong, field) in [
        (json!({"action": "Change page", "data": {}}), Some("page")),
        (json!({"action": "Change page", "data": {"page": 5}}), Some("page")),
        (json!({"action": "Dance", "data": {}}), Some("action")),
        (json!({"data": {}}), None),
    ] {
        assert_refused(&window.answer(&wrong).await, field);
    }
    site.stop().await;
}

/// Redeems the ticket in an answer, as the page's form does.
async fn redeem(browser: &mut Client, answer: &Value) {
    assert_eq!(answer["selector"], "#main", "{answer}");
    let ticket = html(answer)
        .split("name=\"ticket\" value=\"")
        .nth(1)
        .and_then(|rest| rest.split('"').next());
    let ticket = ticket.unwrap_or_else(|| panic!("no ticket: {answer}"));
    let redeemed =
        browser.post("/accounts/ticket/", &[("ticket", ticket), ("next", "/pages/profile/")]).await;
    assert_eq!((redeemed.status, redeemed.location()), (303, "/pages/profile/"));
}

#[tokio::test]
async fn signing_up_in_and_out_uses_real_accounts_and_sets_the_session_over_http() {
    let site = playground().await;
    let mut ada = site.client();
    ada.get("/pages/").await;
    let mut window = open_with_tasks(&ada, "/ws/example/").await;
    let account = json!({"username": "Ada@<b>", "email": "ada@example.org", "password": PASSWORD, "password_confirm": PASSWORD});
    let answer = window.answer(&json!({"action": "Signup", "data": account})).await;
    assert!(html(&answer).contains("error--username"), "a name has no @: {answer}");
    assert!(
        html(&answer).contains("value=\"Ada@&#60;b&#62;\"") && !html(&answer).contains(PASSWORD),
        "{answer}"
    );
    let account = json!({"username": "Ada", "email": "ada@example.org", "password": PASSWORD, "password_confirm": PASSWORD});
    let answer = window.answer(&json!({"action": "Signup", "data": account})).await;
    redeem(&mut ada, &answer).await;
    let profile = ada.get("/pages/profile/").await;
    assert!(profile.status == 200 && profile.text.contains("Ada</h1>"), "{}", profile.text);

    let mut window = open_with_tasks(&ada, "/ws/example/").await;
    let (nav, main) = change_page(&mut window, "login").await;
    assert_eq!(main["url"], "/pages/profile/", "a signed-in user is sent to the profile");
    assert!(html(&nav).contains("Profile") && !html(&nav).contains("Sign in"), "{nav}");
    let out = window.answer(&json!({"action": "Logout", "data": {}})).await;
    assert!(html(&out).contains("method=\"post\" action=\"/accounts/logout/\""), "{out}");
    assert_eq!(ada.post("/accounts/logout/", &[]).await.status, 303);
    assert_eq!(window.closed().await, 1008);

    let mut window = Window::open(&ada, "/ws/example/").await;
    let wrong = json!({"action": "Login", "data": {"email": "ada@example.org", "password": "not this one"}});
    let answer = window.answer(&wrong).await;
    assert!(
        html(&answer).contains("There is no account")
            && html(&answer).contains("value=\"ada@example.org\"")
    );
    assert!(!html(&answer).contains("not this one"), "{answer}");
    let right =
        json!({"action": "Login", "data": {"email": "ada@example.org", "password": PASSWORD}});
    let answer = window.answer(&right).await;
    redeem(&mut ada, &answer).await;
    assert_eq!(ada.get("/pages/profile/").await.status, 200);
    site.stop().await;
}

#[tokio::test]
async fn a_form_with_a_field_missing_is_refused_and_does_nothing() {
    let site = playground().await;
    let mut window = Window::open(&site.client(), "/ws/example/").await;
    let forms = [
        (
            "Signup",
            json!({"username": "Ada", "email": "", "password": PASSWORD, "password_confirm": PASSWORD}),
        ),
        ("Login", json!({"email": "Ada", "password": PASSWORD})),
    ];
    for (action, form) in &forms {
        for field in form.as_object().expect("fields").keys() {
            let mut part = form.clone();
            part.as_object_mut().expect("fields").remove(field);
            let answer = window.answer(&json!({"action": action, "data": part})).await;
            assert_refused(&answer, Some(field));
            assert_eq!(answer["selector"], Value::Null, "nothing else happens: {answer}");
        }
        assert!(window.answer(&json!({"action": action})).await["error"].is_string());
        // The complete form succeeds right after the refusals: none of them has taken the name.
        let answer = window.answer(&json!({"action": action, "data": form})).await;
        assert!(html(&answer).contains("name=\"ticket\""), "{answer}");
    }
    site.stop().await;
}

#[tokio::test]
async fn visitors_receive_nothing_of_each_others_actions() {
    let site: TestSite = playground().await;
    let mut ada = Window::open(&site.client(), "/ws/example/").await;
    let mut ben = Window::open(&site.client(), "/ws/example/").await;
    change_page(&mut ada, "login").await;
    ada.answer(&json!({"action": "Add lap"})).await;
    let wrong =
        ada.answer(&json!({"action": "Login", "data": {"email": "", "password": ""}})).await;
    assert!(html(&wrong).contains("error--password"), "{wrong}");
    let (_, main) = change_page(&mut ben, "signup").await;
    assert_eq!(main["url"], "/pages/signup/", "Ben's first frames");
    site.stop().await;
}
