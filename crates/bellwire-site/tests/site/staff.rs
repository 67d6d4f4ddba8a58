//! Tests of the staff role: granting, revoking and immediate effect.

use bellwire_site::SiteAccounts as _;
use bellwire_site::accounts::users;
use bellwire_testkit::{Client, PASSWORD, TestDatabase, TestSite, apply, on_databases};

async fn admin(site: &TestSite) -> Client {
    let mut admin = site.client();
    let fields = [("username", "Admin"), ("password", PASSWORD), ("password_confirm", PASSWORD)];
    assert_eq!(admin.post("/accounts/first/", &fields).await.status, 303);
    admin
}

async fn is_staff(site: &TestSite, person: &Client) -> bool {
    let user = site.user(person).await;
    let now = users::is_staff(site.state().db().read(), user.id).await.unwrap();
    assert_eq!(user.is_staff, now, "the extractor and the database agree");
    now
}

#[apply(on_databases)]
#[tokio::test]
async fn an_administrator_grants_and_revokes_the_role_with_immediate_effect(
    database: TestDatabase,
) {
    let site = TestSite::start(&database, vec![bellwire_home::app()]).await;
    let (mut admin, mut ada, ben) =
        (admin(&site).await, site.person("Ada").await, site.person("Ben").await);
    assert!(is_staff(&site, &admin).await, "administrators are staff as well");
    assert!(!is_staff(&site, &ada).await);

    let given = admin.post("/accounts/staff/", &[("who", " aDA ")]).await;
    assert_eq!((given.status, given.location()), (303, "/accounts/staff/"), "{}", given.text);
    assert!(
        is_staff(&site, &ada).await && !is_staff(&site, &ben).await,
        "the role applies in her existing session"
    );
    let page = admin.get("/accounts/staff/").await;
    assert!(page.text.contains(">Ada</p>") && !page.text.contains(">Ben</p>"), "{}", page.text);
    assert!(ada.get("/accounts/").await.text.contains("Staff"));

    let id = site.user(&ada).await.id;
    assert_eq!(admin.post(&format!("/accounts/staff/{id}/revoke/"), &[]).await.status, 303);
    assert!(!is_staff(&site, &ada).await);
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn only_administrators_manage_staff(database: TestDatabase) {
    let site = TestSite::start(&database, vec![bellwire_home::app()]).await;
    let (_admin, mut ada, ben) =
        (admin(&site).await, site.person("Ada").await, site.person("Ben").await);
    site.state().accounts().set_staff("Ada", true).await.unwrap();
    let id = site.user(&ada).await.id;
    assert_eq!(ada.get("/accounts/staff/").await.status, 403, "staff are not administrators");
    assert_eq!(ada.post("/accounts/staff/", &[("who", "Ben")]).await.status, 403);
    assert_eq!(ada.post(&format!("/accounts/staff/{id}/revoke/"), &[]).await.status, 403);
    assert_eq!(site.client().post("/accounts/staff/", &[("who", "Ben")]).await.status, 401);
    assert!(is_staff(&site, &ada).await && !is_staff(&site, &ben).await);
    assert!(!ada.get("/accounts/").await.text.contains("/accounts/staff/"));
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn errors_in_the_staff_form_appear_beside_the_field(database: TestDatabase) {
    let site = TestSite::start(&database, vec![bellwire_home::app()]).await;
    let mut admin = admin(&site).await;
    for (who, expected) in [
        ("", "Please type a name"),
        ("Nobody <b>", "There is no account"),
        ("a\0b", "There is no account"),
        ("nobody@example.org", "There is no account"),
    ] {
        let answer = admin.post("/accounts/staff/", &[("who", who)]).await;
        assert_eq!(answer.status, 422, "{who:?}");
        assert!(
            answer.text.contains(expected) && !answer.text.contains("<b>"),
            "{who:?}: {}",
            answer.text
        );
    }
    assert_eq!(admin.post("/accounts/staff/999/revoke/", &[]).await.status, 404);
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn a_deactivated_person_is_not_staff(database: TestDatabase) {
    let site = TestSite::start(&database, vec![bellwire_home::app()]).await;
    let ada = site.person("Ada").await;
    let id = site.user(&ada).await.id;
    site.state().accounts().set_staff("Ada", true).await.unwrap();
    site.state().accounts().deactivate("Ada").await.unwrap();
    assert!(!users::is_staff(site.state().db().read(), id).await.unwrap());
    site.stop().await;
}
