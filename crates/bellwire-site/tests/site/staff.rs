//! The role of staff: who gives it, who has it, and from when it counts.

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
    assert_eq!(user.is_staff, now, "who asks and who is asked about are told the same");
    now
}

#[apply(on_databases)]
#[tokio::test]
async fn an_administrator_gives_the_role_and_takes_it_and_it_counts_at_once(
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
        "hers, in the session she had"
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
async fn only_administrators_say_who_is_staff(database: TestDatabase) {
    let site = TestSite::start(&database, vec![bellwire_home::app()]).await;
    let (_admin, mut ada, ben) =
        (admin(&site).await, site.person("Ada").await, site.person("Ben").await);
    site.state().accounts().set_staff("Ada", true).await.unwrap();
    let id = site.user(&ada).await.id;
    assert_eq!(ada.get("/accounts/staff/").await.status, 403, "staff are no administrators");
    assert_eq!(ada.post("/accounts/staff/", &[("who", "Ben")]).await.status, 403);
    assert_eq!(ada.post(&format!("/accounts/staff/{id}/revoke/"), &[]).await.status, 403);
    assert_eq!(site.client().post("/accounts/staff/", &[("who", "Ben")]).await.status, 401);
    assert!(is_staff(&site, &ada).await && !is_staff(&site, &ben).await);
    assert!(!ada.get("/accounts/").await.text.contains("/accounts/staff/"));
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn what_is_wrong_with_the_name_is_said_beside_it(database: TestDatabase) {
    let site = TestSite::start(&database, vec![bellwire_home::app()]).await;
    let mut admin = admin(&site).await;
    for (who, says) in [
        ("", "Please type a name"),
        ("Nobody <b>", "There is nobody"),
        ("a\0b", "There is nobody"),
        ("nobody@example.org", "There is nobody"),
    ] {
        let answer = admin.post("/accounts/staff/", &[("who", who)]).await;
        assert_eq!(answer.status, 422, "{who:?}");
        assert!(
            answer.text.contains(says) && !answer.text.contains("<b>"),
            "{who:?}: {}",
            answer.text
        );
    }
    assert_eq!(admin.post("/accounts/staff/999/revoke/", &[]).await.status, 404);
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn whoever_may_not_be_here_any_more_is_not_staff(database: TestDatabase) {
    let site = TestSite::start(&database, vec![bellwire_home::app()]).await;
    let ada = site.person("Ada").await;
    let id = site.user(&ada).await.id;
    site.state().accounts().set_staff("Ada", true).await.unwrap();
    site.state().accounts().deactivate("Ada").await.unwrap();
    assert!(!users::is_staff(site.state().db().read(), id).await.unwrap());
    site.stop().await;
}
