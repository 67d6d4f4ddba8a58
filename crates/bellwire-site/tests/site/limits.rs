//! Tests of the rate limits of sign-in and sign-up.

use std::time::Duration;

use bellwire_testkit::{PASSWORD, TestDatabase, TestSite, apply, on_databases};

#[apply(on_databases)]
#[tokio::test]
async fn ten_failures_block_only_that_name_for_three_minutes(database: TestDatabase) {
    let site = TestSite::start(&database, vec![bellwire_home::app()]).await;
    for name in ["Ada", "Grace"] {
        site.client().sign_up(name).await;
    }
    for _ in 0..10 {
        assert_eq!(site.client().sign_in("Ada", "not her password").await.status, 422);
    }
    let refused = site.client().sign_in("ADA", PASSWORD).await;
    assert_eq!(refused.status, 429);
    let wait: u64 = refused.header("retry-after").parse().unwrap();
    assert!((1..=180).contains(&wait), "{wait}");
    assert!(refused.text.contains("Too many attempts. Try again in 3 minutes."));
    assert!(refused.text.contains("value=\"ADA\""));
    assert_eq!(site.client().sign_in("Grace", PASSWORD).await.status, 303);
    site.state().clock().advance(Duration::from_secs(180));
    assert_eq!(site.client().sign_in("Ada", PASSWORD).await.status, 303);
    site.stop().await;
}

#[tokio::test]
async fn an_unknown_name_is_limited_in_the_same_way() {
    let site = TestSite::start(&TestDatabase::Sqlite, vec![bellwire_home::app()]).await;
    for n in 0..11 {
        let expected = if n < 10 { 422 } else { 429 };
        assert_eq!(site.client().sign_in("Nobody", "whatever it is").await.status, expected);
    }
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn attempts_by_name_and_by_email_count_together(database: TestDatabase) {
    let site = TestSite::start(&database, vec![bellwire_home::app()]).await;
    let fields = [
        ("username", "Ada"),
        ("email", "ada@example.org"),
        ("password", PASSWORD),
        ("password_confirm", PASSWORD),
    ];
    assert_eq!(site.client().post("/accounts/signup/", &fields).await.status, 303);
    for n in 0..10 {
        let name = if n % 2 == 0 { "Ada" } else { "ADA@example.org" };
        assert_eq!(site.client().sign_in(name, "not her password").await.status, 422);
    }
    for name in ["Ada", "ada@example.org"] {
        assert_eq!(site.client().sign_in(name, PASSWORD).await.status, 429, "{name}");
    }
    site.stop().await;
}

#[tokio::test]
async fn an_address_that_fails_with_a_hundred_names_is_blocked_for_all_names() {
    let site = TestSite::start(&TestDatabase::Sqlite, vec![bellwire_home::app()]).await;
    site.client().sign_up("Ada").await;
    for n in 0..100 {
        assert_eq!(
            site.client().sign_in(&format!("Nobody {n}"), "whatever it is").await.status,
            422
        );
        if n % 10 == 0 {
            assert_eq!(
                site.client().sign_in("Ada", PASSWORD).await.status,
                303,
                "a successful sign-in is not counted"
            );
        }
    }
    assert_eq!(site.client().sign_in("Somebody else", "whatever it is").await.status, 429);
    assert_eq!(site.client().sign_in("Ada", PASSWORD).await.status, 429);
    site.state().clock().advance(Duration::from_secs(180));
    assert_eq!(site.client().sign_in("Ada", PASSWORD).await.status, 303);
    site.stop().await;
}

#[tokio::test]
async fn a_busy_answer_does_not_count_as_a_failure() {
    let site = TestSite::start(&TestDatabase::Sqlite, vec![bellwire_home::app()]).await;
    let at_once = (0..10).map(|_| {
        let mut client = site.client();
        async move { client.sign_in("Ada", "not her password").await.status }
    });
    let mut statuses = futures_util::future::join_all(at_once).await;
    assert!(statuses.contains(&503), "one address cannot occupy the whole queue: {statuses:?}");
    for _ in 0..20 {
        if statuses.last() != Some(&429) {
            statuses.push(site.client().sign_in("Ada", "not her password").await.status);
        }
    }
    let failures = statuses.iter().filter(|status| **status == 422).count();
    assert_eq!(failures, 10, "{statuses:?}");
    site.stop().await;
}

#[tokio::test]
async fn an_overlong_password_is_refused_without_hashing() {
    let site = TestSite::start(&TestDatabase::Sqlite, vec![bellwire_home::app()]).await;
    for _ in 0..12 {
        let page = site.client().sign_in("Ada", &"x".repeat(1001)).await;
        assert!(
            page.status == 422 && page.text.contains("The password is too long."),
            "{}",
            page.status
        );
    }
    site.stop().await;
}

#[tokio::test]
async fn signing_in_resets_earlier_failures() {
    let site = TestSite::start(&TestDatabase::Sqlite, vec![bellwire_home::app()]).await;
    site.client().sign_up("Ada").await;
    for _ in 0..2 {
        for _ in 0..9 {
            assert_eq!(site.client().sign_in("Ada", "not her password").await.status, 422);
        }
        assert_eq!(site.client().sign_in("Ada", PASSWORD).await.status, 303);
    }
    site.stop().await;
}

#[tokio::test]
async fn each_address_has_its_own_attempts_and_cannot_be_spoofed() {
    let trusting = |settings: &mut bellwire_site::Settings| {
        settings.trusted_proxies = vec!["127.0.0.1/32".parse().unwrap()];
    };
    for (trusts, expected) in [(true, 422), (false, 429)] {
        let change = |settings: &mut bellwire_site::Settings| {
            if trusts {
                trusting(settings)
            }
        };
        let site =
            TestSite::start_with(&TestDatabase::Sqlite, vec![bellwire_home::app()], change).await;
        let origin = site.url("");
        let fields = [("username", "Ada"), ("password", "not her password")];
        for n in 0..11 {
            let address = format!("203.0.113.{n}");
            let headers = [("origin", &*origin), ("x-forwarded-for", &*address)];
            let answer = site.client().post_with("/accounts/login/", &headers, &fields).await;
            assert_eq!(answer.status, if n < 10 { 422 } else { expected });
        }
        site.stop().await;
    }
}

#[tokio::test]
async fn an_address_can_create_twenty_accounts_an_hour() {
    let site = TestSite::start(&TestDatabase::Sqlite, vec![bellwire_home::app()]).await;
    for n in 0..20 {
        assert_eq!(site.client().sign_up(&format!("Person {n}")).await.status, 303);
    }
    let refused = site.client().sign_up("One more").await;
    assert_eq!(refused.status, 429);
    assert!(
        refused.text.contains("Too many new accounts")
            && refused.text.contains("value=\"One more\"")
    );
    assert!(!refused.header("retry-after").is_empty());
    site.state().clock().advance(Duration::from_secs(3600));
    assert_eq!(site.client().sign_up("One more").await.status, 303);
    site.stop().await;
}
