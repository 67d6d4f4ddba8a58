//! Tests of CSRF protection: pages of other sites cannot act as a signed-in person.

use bellwire_testkit::{TestDatabase, TestSite};

#[tokio::test]
async fn every_hostile_origin_of_a_form_is_refused_with_a_page_that_names_the_setting() {
    let site = TestSite::start(&TestDatabase::Sqlite, vec![bellwire_home::app()]).await;
    let mut ada = site.person("Ada").await;
    let port = site.address().port();
    for origin in [
        "https://evil.example".to_owned(),
        format!("https://127.0.0.1:{port}"),
        format!("http://127.0.0.1:{}", port.wrapping_add(1)),
        "http://127.0.0.1".to_owned(),
        format!("http://sub.127.0.0.1:{port}"),
        format!("http://127.0.0.1.evil.example:{port}"),
        format!("http://127.0.0.1:{port}.evil.example"),
        format!("http://127.0.0.1:{port}/"),
        format!("http://127.0.0.2:{port}"),
        format!("HTTP://127.0.0.1:{port}"),
        "null".to_owned(),
        "file://".to_owned(),
        String::new(),
    ] {
        let refused = ada.post_with("/accounts/logout/", &[("origin", &origin)], &[]).await;
        assert_eq!(refused.status, 403, "{origin}");
        assert!(refused.text.contains("BELLWIRE_URL and BELLWIRE_ORIGINS"), "{origin}");
        assert!(refused.header("content-type").starts_with("text/html"));
    }
    let missing = ada.post_with("/accounts/logout/", &[], &[]).await;
    assert_eq!(missing.status, 403);
    assert!(missing.text.contains("BELLWIRE_URL and BELLWIRE_ORIGINS"));
    for fetched in ["cross-site", "same-site", "nonsense"] {
        let refused = ada.post_with("/accounts/logout/", &[("sec-fetch-site", fetched)], &[]).await;
        assert_eq!(refused.status, 403, "{fetched}");
    }
    assert!(ada.get("/").await.text.contains("Sign out"), "no refused request had an effect");
    site.stop().await;
}

#[tokio::test]
async fn own_pages_are_accepted_under_every_local_name_of_this_machine() {
    let site = TestSite::start(&TestDatabase::Sqlite, vec![bellwire_home::app()]).await;
    let port = site.address().port();
    for (name, host) in
        [("Ada", "127.0.0.1"), ("Bea", "localhost"), ("Cleo", "[::1]"), ("Dora", "LOCALHOST")]
    {
        let mut ada = site.person(name).await;
        let (host, origin) =
            (format!("{host}:{port}"), format!("http://{}:{port}", host.to_lowercase()));
        let out =
            ada.post_with("/accounts/logout/", &[("host", &host), ("origin", &origin)], &[]).await;
        assert_eq!(out.status, 303, "{host}");
    }
    for fetch_site in ["same-origin", "none"] {
        let mut ada = site.person(&format!("Ada {fetch_site}")).await;
        let out = ada.post_with("/accounts/logout/", &[("sec-fetch-site", fetch_site)], &[]).await;
        assert_eq!(out.status, 303, "{fetch_site}");
    }
    site.stop().await;
}

#[tokio::test]
async fn a_further_origin_is_accepted_if_it_is_configured() {
    let site =
        TestSite::start_with(&TestDatabase::Sqlite, vec![bellwire_home::app()], |settings| {
            settings.origins =
                ["https://app.example", "https://*.chat.example"].map(str::to_owned).into();
        })
        .await;
    for (origin, status) in [
        ("https://app.example", 303),
        ("https://ada.chat.example", 303),
        ("https://chat.example", 403),
    ] {
        let out = site.client().post_with("/accounts/logout/", &[("origin", origin)], &[]).await;
        assert_eq!(out.status, status, "{origin}");
    }
    site.stop().await;
}

#[tokio::test]
async fn an_unknown_host_name_is_refused_with_a_page_that_names_the_setting() {
    let site = TestSite::start(&TestDatabase::Sqlite, vec![bellwire_home::app()]).await;
    let port = site.address().port();
    for host in [
        "evil.example".to_owned(),
        format!("evil.example:{port}"),
        "127.0.0.1".to_owned(),
        format!("127.0.0.1:{}", port.wrapping_add(1)),
        format!("127.0.0.1.evil.example:{port}"),
        format!("evil.example@127.0.0.1:{port}"),
        format!("127.0.0.1:{port}/"),
        "localhost:".to_owned(),
        format!("2130706433:{port}"),
        format!("127.1:{port}"),
        format!("0x7f000001:{port}"),
        format!("%31%32%37.0.0.1:{port}"),
        format!("127.0.0.1\t:{port}"),
        format!("127.0.0.1:0{port}"),
        format!("１２７.0.0.1:{port}"),
        format!("[0:0:0:0:0:0:0:1]:{port}"),
    ] {
        for path in ["/", "/static/x/y", "/accounts/login/"] {
            let refused = site.client().get_with(path, &[("host", &host)]).await;
            assert_eq!(refused.status, 421, "{host}");
            assert!(refused.text.contains("BELLWIRE_URL"), "{host}");
        }
    }
    site.stop().await;
}

#[tokio::test]
async fn a_public_host_name_excludes_all_others() {
    let site =
        TestSite::start_with(&TestDatabase::Sqlite, vec![bellwire_home::app()], |settings| {
            settings.url = "https://chat.example".parse().ok();
        })
        .await;
    for (host, status) in [
        ("chat.example", 200),
        ("chat.example:443", 200),
        ("CHAT.example", 200),
        ("chat.example.", 421),
        ("chat.example:", 421),
        ("chat.exam%70le", 421),
        ("chat.example:80", 421),
        ("www.chat.example", 421),
        ("localhost", 421),
    ] {
        assert_eq!(site.client().get_with("/", &[("host", host)]).await.status, status, "{host}");
    }
    site.stop().await;
}
