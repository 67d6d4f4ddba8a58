//! Tests of the account page: signed-in devices and the password.

use std::time::Duration;

use bellwire_testkit::{Answer, Client, PASSWORD, TestDatabase, TestSite, apply, on_databases};

const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0";
const NEW: &str = "another bell for Ada";

async fn sign_in_with(site: &TestSite, user_agent: &str) -> Client {
    let mut client = site.client();
    let (origin, fields) = (site.url(""), [("username", "Ada"), ("password", PASSWORD)]);
    let headers = [("origin", &*origin), ("user-agent", user_agent)];
    assert_eq!(client.post_with("/accounts/login/", &headers, &fields).await.status, 303);
    client
}

/// The text of each device on the page.
fn devices(page: &Answer) -> Vec<String> {
    let items = page
        .text
        .split("<li class=\"device\"")
        .skip(1)
        .map(|item| item.split("</li>").next().unwrap());
    items.map(|item| item.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
}

/// The actions of the forms that end a session.
fn ends(page: &Answer) -> Vec<String> {
    let actions =
        page.text.split("action=\"").skip(1).map(|rest| rest.split('"').next().unwrap().to_owned());
    actions.filter(|action| action.starts_with("/accounts/sessions/")).collect()
}

async fn is_signed_in(client: &mut Client) -> bool {
    client.get("/").await.text.contains("Sign out")
}

async fn change_password(client: &mut Client, current: &str, new: &str, confirm: &str) -> Answer {
    let fields = [("current", current), ("password", new), ("password_confirm", confirm)];
    client.post("/accounts/password/", &fields).await
}

#[apply(on_databases)]
#[tokio::test]
async fn everyone_sees_their_own_devices_and_no_others(database: TestDatabase) {
    let site = TestSite::start(&database, vec![bellwire_home::app()]).await;
    let mut laptop = site.person("Ada").await;
    site.person("Grace").await;
    site.state().clock().advance(Duration::from_secs(3 * 3600));
    let mut phone = sign_in_with(&site, FIREFOX).await;
    let page = phone.get("/accounts/").await;
    assert_eq!(page.status, 200);
    let shown = devices(&page);
    assert_eq!(shown.len(), 2, "{shown:?}");
    assert!(shown[0].contains("Firefox on Linux") && shown[0].contains("this device"), "{shown:?}");
    assert!(shown[0].contains(">just now</time>") && shown[0].contains("127.0.0.1"), "{shown:?}");
    assert!(shown[1].contains("a test") && shown[1].contains(">3 hours ago</time>"), "{shown:?}");
    assert!(!shown[1].contains("this device"));
    assert!(
        devices(&laptop.get("/accounts/").await)[0].contains("a test"),
        "this device comes first"
    );
    assert!(phone.get("/").await.text.contains("href=\"/accounts/\""));
    site.stop().await;
}

#[tokio::test]
async fn the_account_page_requires_signing_in() {
    let site = TestSite::start(&TestDatabase::Sqlite, vec![bellwire_home::app()]).await;
    site.person("Ada").await;
    for path in ["/accounts/", "/accounts/password/"] {
        assert_eq!(site.client().get(path).await.status, 303, "{path}");
    }
    for path in ["/accounts/password/", "/accounts/sessions/1/end/", "/accounts/sessions/end/"] {
        assert_eq!(site.client().post(path, &[]).await.status, 401, "{path}");
    }
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn only_its_owner_can_end_a_session(database: TestDatabase) {
    let site = TestSite::start(&database, vec![bellwire_home::app()]).await;
    let (mut laptop, mut grace) = (site.person("Ada").await, site.person("Grace").await);
    let mut phone = sign_in_with(&site, FIREFOX).await;
    let forms = ends(&laptop.get("/accounts/").await);
    assert_eq!(forms.len(), 3, "{forms:?}"); // this one, the other, all others
    for form in &forms[..2] {
        assert_eq!(grace.post(form, &[]).await.status, 404, "{form}");
        let elsewhere = [("origin", "https://evil.example")];
        assert_eq!(laptop.post_with(form, &elsewhere, &[]).await.status, 403, "{form}");
    }
    for nothing in ["/accounts/sessions/999/end/", "/accounts/sessions/-1/end/"] {
        assert_eq!(laptop.post(nothing, &[]).await.status, 404, "{nothing}");
    }
    assert!(is_signed_in(&mut phone).await && is_signed_in(&mut laptop).await);
    assert_eq!(laptop.post(&forms[1], &[]).await.location(), "/accounts/");
    assert!(!is_signed_in(&mut phone).await && is_signed_in(&mut laptop).await);
    assert_eq!(laptop.post(&forms[1], &[]).await.status, 404, "it has ended already");
    let answer = laptop.post(&forms[0], &[]).await;
    assert_eq!(
        (answer.location(), laptop.cookies()),
        ("/", String::new()),
        "this device signs out"
    );
    assert!(is_signed_in(&mut grace).await);
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn all_other_sessions_can_be_ended_at_once(database: TestDatabase) {
    let site = TestSite::start(&database, vec![bellwire_home::app()]).await;
    let (mut laptop, mut grace) = (site.person("Ada").await, site.person("Grace").await);
    let mut others = [sign_in_with(&site, FIREFOX).await, sign_in_with(&site, "").await];
    assert_eq!(laptop.post("/accounts/sessions/end/", &[]).await.location(), "/accounts/");
    for other in &mut others {
        assert!(!is_signed_in(other).await);
    }
    assert!(is_signed_in(&mut laptop).await && is_signed_in(&mut grace).await);
    assert_eq!(
        ends(&laptop.get("/accounts/").await).len(),
        1,
        "nothing is left for the second form"
    );
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn a_new_password_ends_every_other_session_and_renews_this_one(database: TestDatabase) {
    let site = TestSite::start(&database, vec![bellwire_home::app()]).await;
    let (mut laptop, mut grace) = (site.person("Ada").await, site.person("Grace").await);
    let (mut phone, mut stolen) = (sign_in_with(&site, FIREFOX).await, laptop.clone());
    let before = laptop.cookies();
    assert_eq!(change_password(&mut laptop, PASSWORD, NEW, NEW).await.location(), "/accounts/");
    assert_ne!(laptop.cookies(), before);
    assert!(is_signed_in(&mut laptop).await && is_signed_in(&mut grace).await);
    assert!(!is_signed_in(&mut phone).await && !is_signed_in(&mut stolen).await);
    assert_eq!(site.client().sign_in("Ada", PASSWORD).await.status, 422);
    assert_eq!(site.client().sign_in("Ada", NEW).await.status, 303);
    site.stop().await;
}

#[tokio::test]
async fn errors_in_the_password_form_appear_beside_their_field() {
    let site = TestSite::start(&TestDatabase::Sqlite, vec![bellwire_home::app()]).await;
    let mut ada = site.person("Ada").await;
    for (current, new, confirm, field, expected) in [
        ("", NEW, NEW, "current", "type your current password"),
        ("not her password", NEW, NEW, "current", "not your password"),
        (PASSWORD, "short", "short", "password", "At least 8"),
        (PASSWORD, "password1", "password1", "password", "first passwords"),
        (PASSWORD, NEW, "something else", "password_confirm", "not the same"),
    ] {
        let page = change_password(&mut ada, current, new, confirm).await;
        assert_eq!(page.status, 422, "{expected}");
        let beside = page.text.split(&format!("id=\"error--{field}\"")).nth(1).unwrap();
        assert!(beside.split("</p>").next().unwrap().contains(expected), "{field}: {expected}");
        assert!(!page.text.contains(NEW) && !page.text.contains(PASSWORD));
    }
    assert!(is_signed_in(&mut ada).await);
    site.stop().await;
}

#[tokio::test]
async fn the_password_form_limits_guesses_of_the_current_password() {
    let site = TestSite::start(&TestDatabase::Sqlite, vec![bellwire_home::app()]).await;
    let mut ada = site.person("Ada").await;
    for n in 0..11 {
        let answer = change_password(&mut ada, "not her password", NEW, NEW).await;
        assert_eq!(answer.status, if n < 10 { 422 } else { 429 });
    }
    assert_eq!(change_password(&mut ada, PASSWORD, NEW, NEW).await.status, 429);
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn a_password_change_does_not_revive_a_session_that_has_ended(database: TestDatabase) {
    let site = TestSite::start(&database, vec![bellwire_home::app()]).await;
    let mut laptop = site.person("Ada").await;
    let mut phone = sign_in_with(&site, FIREFOX).await;
    let form = ends(&phone.get("/accounts/").await).remove(1);
    let (changed, ended) =
        tokio::join!(change_password(&mut laptop, PASSWORD, NEW, NEW), phone.post(&form, &[]));
    let stayed = is_signed_in(&mut laptop).await;
    match changed.status {
        303 => assert!(stayed && matches!(ended.status, 401 | 404), "{}", ended.status),
        401 => assert!(!stayed && ended.status == 303),
        other => panic!("{other}"),
    }
    site.stop().await;
}
