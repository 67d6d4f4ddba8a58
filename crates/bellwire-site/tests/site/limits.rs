//! How often one may try.

use std::time::Duration;

use bellwire_site::testing::{PASSWORD, TestSite, databases};

#[tokio::test]
async fn after_ten_failures_a_name_must_wait_three_minutes_and_no_other_name() {
    for database in databases() {
        let site = TestSite::start(&database, vec![]).await;
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
}

#[tokio::test]
async fn an_unknown_name_waits_just_the_same() {
    let site = TestSite::start(&databases()[0], vec![]).await;
    for n in 0..11 {
        let expected = if n < 10 { 422 } else { 429 };
        assert_eq!(site.client().sign_in("Nobody", "whatever it is").await.status, expected);
    }
    site.stop().await;
}

#[tokio::test]
async fn signing_in_forgets_the_failures_before() {
    let site = TestSite::start(&databases()[0], vec![]).await;
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
async fn another_address_has_its_own_tries_but_a_stranger_cannot_make_one_up() {
    let trusting = |settings: &mut bellwire_site::Settings| {
        settings.trusted_proxies = vec!["127.0.0.1/32".parse().unwrap()];
    };
    for (trusts, expected) in [(true, 422), (false, 429)] {
        let change = |settings: &mut bellwire_site::Settings| {
            if trusts {
                trusting(settings)
            }
        };
        let site = TestSite::start_with(&databases()[0], vec![], change).await;
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
async fn an_address_makes_twenty_accounts_an_hour() {
    let site = TestSite::start(&databases()[0], vec![]).await;
    for n in 0..20 {
        assert_eq!(site.client().sign_up(&format!("Person {n}")).await.status, 303);
    }
    let refused = site.client().sign_up("One more").await;
    assert_eq!(refused.status, 429);
    assert!(refused.text.contains("Too many new accounts") && refused.text.contains("value=\"One more\""));
    assert!(!refused.header("retry-after").is_empty());
    site.state().clock().advance(Duration::from_secs(3600));
    assert_eq!(site.client().sign_up("One more").await.status, 303);
    site.stop().await;
}
