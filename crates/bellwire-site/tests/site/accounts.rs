//! Tests of signing up, in and out with the forms.

use bellwire_site::SignUp;
use bellwire_testkit::{Answer, Client, PASSWORD, TestDatabase, TestSite, apply, on_databases};

fn signed_in(page: &Answer, name: &str) -> bool {
    page.text.contains("action=\"/accounts/logout/\"")
        && page.text.contains(&format!(">{name}</a>"))
}

async fn sign_up(
    client: &mut Client,
    username: &str,
    email: &str,
    password: &str,
    confirm: &str,
) -> Answer {
    let fields = [
        ("username", username),
        ("email", email),
        ("password", password),
        ("password_confirm", confirm),
    ];
    client.post("/accounts/signup/", &fields).await
}

#[apply(on_databases)]
#[tokio::test]
async fn a_person_signs_up_signs_out_and_signs_in_by_name_and_by_email(database: TestDatabase) {
    let site = TestSite::start(&database, vec![bellwire_home::app()]).await;
    let mut ada = site.client();
    let answer = sign_up(&mut ada, "Ada <b>", "Ada@example.org", PASSWORD, PASSWORD).await;
    assert_eq!((answer.status, answer.location()), (303, "/"));
    let page = ada.get("/").await;
    assert!(signed_in(&page, "Ada &#60;b&#62;"), "{}", page.text);
    assert!(
        page.text.contains("data-user=\"1\"")
            && page.header("cache-control") == "private, no-cache"
    );

    let answer = ada.post("/accounts/logout/", &[]).await;
    assert_eq!((answer.status, answer.location()), (303, "/"));
    assert_eq!(
        answer.header("clear-site-data"),
        "\"cache\"",
        "the next person cannot go back to the pages"
    );
    assert_eq!(ada.cookies(), "");
    assert!(!ada.get("/").await.text.contains("Sign out"));

    for name in ["Ada <b>", " aDA <B>", "ada@EXAMPLE.org "] {
        let mut ada = site.client();
        assert_eq!(ada.sign_in(name, PASSWORD).await.status, 303, "{name}");
        assert!(signed_in(&ada.get("/").await, "Ada &#60;b&#62;"));
    }
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn errors_appear_beside_their_field_and_submitted_values_are_kept(database: TestDatabase) {
    let site = TestSite::start(&database, vec![bellwire_home::app()]).await;
    site.client().sign_up("Ada").await;
    sign_up(&mut site.client(), "Grace", "grace@example.org", PASSWORD, PASSWORD).await;
    let long = "x".repeat(65);
    for (name, email, password, confirm, field, expected) in [
        ("", "", PASSWORD, PASSWORD, "username", "Please type a name."),
        (&*long, "", PASSWORD, PASSWORD, "username", "At most 64"),
        ("a@b", "", PASSWORD, PASSWORD, "username", "cannot contain @"),
        ("a\u{202E}b", "", PASSWORD, PASSWORD, "username", "visible characters"),
        ("ADA", "", PASSWORD, PASSWORD, "username", "is taken"),
        ("Bob", "bob", PASSWORD, PASSWORD, "email", "does not look like"),
        ("Bob", "GRACE@example.org", PASSWORD, PASSWORD, "email", "already"),
        ("Bob", "", "short", "short", "password", "At least 8"),
        ("Bob", "", "password1", "password1", "password", "first passwords"),
        ("Bobby Tables", "", "bobby tables", "bobby tables", "password", "not be your name"),
        ("Bob", "", PASSWORD, "another one", "password_confirm", "not the same"),
    ] {
        let mut bob = site.client();
        let page = sign_up(&mut bob, name, email, password, confirm).await;
        assert_eq!(page.status, 422, "{expected}");
        let beside = page.text.split(&format!("id=\"error--{field}\"")).nth(1).unwrap();
        let beside = beside.split("</p>").next().unwrap();
        assert!(beside.contains(expected), "{field}: {beside}");
        let input =
            page.text.split(&format!("id=\"{field}\"")).nth(1).unwrap().split('>').next().unwrap();
        assert!(
            input.contains("aria-invalid=\"true\"") && input.contains(&format!("error--{field}")),
            "{input}"
        );
        assert!(page.text.contains(&format!("value=\"{name}\"")), "{name}");
        assert!(page.text.contains("<title>Error: Sign up"), "{expected}");
        assert!(
            input.contains(" autofocus") && page.text.matches(" autofocus").count() == 1,
            "{input}"
        );
        assert!(!page.text.contains(password) && bob.cookies().is_empty());
    }
    site.stop().await;
}

#[tokio::test]
async fn an_empty_form_gets_an_error_text_too() {
    let site = TestSite::start(&TestDatabase::Sqlite, vec![bellwire_home::app()]).await;
    for path in ["/accounts/signup/", "/accounts/login/", "/accounts/first/"] {
        let page = site.client().post(path, &[]).await;
        assert_eq!(page.status, 422, "{path}");
        assert!(page.text.contains("aria-invalid=\"true\""), "{path}");
    }
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn an_unknown_name_and_a_wrong_password_get_the_same_answer(database: TestDatabase) {
    let site = TestSite::start(&database, vec![bellwire_home::app()]).await;
    site.client().sign_up("Ada").await;
    let wrong = site.client().sign_in("Ada", "not her password").await;
    let unknown = site.client().sign_in("Eve", "not her password").await;
    assert_eq!((wrong.status, unknown.status), (422, 422));
    assert_eq!(wrong.text.replace("value=\"Ada\"", ""), unknown.text.replace("value=\"Eve\"", ""));
    assert!(wrong.text.contains("no account with this name and this password"));
    assert!(!wrong.headers.contains_key("set-cookie"));
    site.stop().await;
}

#[tokio::test]
async fn signing_in_redirects_only_within_the_site() {
    let site = TestSite::start(&TestDatabase::Sqlite, vec![bellwire_home::app()]).await;
    site.client().sign_up("Ada").await;
    for (next, goes_to) in [
        ("/chat/hi/?page=2", "/chat/hi/?page=2"),
        ("/chat/%C3%BC/", "/chat/%C3%BC/"),
        ("", "/"),
        ("https://evil.example/", "/"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("\\\\evil.example", "/"),
        ("/\t/evil.example", "/"),
        ("/.//evil.example", "/"),
        ("javascript:alert(1)", "/"),
        ("/\r\nset-cookie: a=b", "/"),
    ] {
        let fields = [("username", "Ada"), ("password", PASSWORD), ("next", next)];
        let answer = site.client().post("/accounts/login/", &fields).await;
        assert_eq!((answer.status, answer.location()), (303, goes_to), "{next:?}");
        let query =
            url::form_urlencoded::Serializer::new(String::new()).append_pair("next", next).finish();
        let page = site.client().get(&format!("/accounts/login/?{query}")).await;
        assert!(!page.text.contains("evil"), "{next:?}");
    }
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn the_first_account_becomes_administrator_and_a_race_creates_only_one(
    database: TestDatabase,
) {
    let site = TestSite::start(&database, vec![bellwire_home::app()]).await;
    assert!(site.client().get("/").await.text.contains("/accounts/first/"));
    let race = (0..8).map(|n| {
        let mut client = site.client();
        async move {
            let name = format!("Admin {n}");
            let fields =
                [("username", &*name), ("password", PASSWORD), ("password_confirm", PASSWORD)];
            let answer = client.post("/accounts/first/", &fields).await;
            (answer, client)
        }
    });
    let mut admins = 0;
    for (answer, mut client) in futures_util::future::join_all(race).await {
        assert_eq!(answer.status, 303);
        let made = answer.location() == "/";
        assert_eq!(client.get("/").await.text.contains("title=\"Administrator\""), made);
        admins += usize::from(made);
    }
    assert_eq!(admins, 1);
    let later = site.client().get("/accounts/first/").await;
    assert_eq!((later.status, later.location()), (303, "/accounts/login/"));
    assert!(!site.client().get("/").await.text.contains("/accounts/first/"));
    site.stop().await;
}

#[tokio::test]
async fn a_site_with_closed_sign_up_says_so_and_still_allows_the_first_account() {
    for (sign_up, expected) in
        [(SignUp::Closed, "takes no new accounts"), (SignUp::Invite, "by invitation")]
    {
        let site =
            TestSite::start_with(&TestDatabase::Sqlite, vec![bellwire_home::app()], |settings| {
                settings.sign_up = sign_up
            })
            .await;
        let shown = site.client().get("/accounts/signup/").await;
        let sent = site.client().sign_up("Ada").await;
        for page in [shown, sent] {
            assert_eq!(page.status, 403);
            assert!(page.text.contains(expected), "{}", page.text);
        }
        for path in ["/", "/nothing/", "/accounts/login/", "/accounts/first/"] {
            let page = site.client().get(path).await;
            assert!(page.text.contains("Sign in") && !page.text.contains("Sign up"), "{path}");
        }
        let fields = [("username", "Ada"), ("password", PASSWORD), ("password_confirm", PASSWORD)];
        assert_eq!(site.client().post("/accounts/first/", &fields).await.status, 303);
        site.stop().await;
    }
}

#[apply(on_databases)]
#[tokio::test]
async fn of_two_concurrent_sign_ups_with_the_same_name_one_succeeds(database: TestDatabase) {
    let site = TestSite::start(&database, vec![bellwire_home::app()]).await;
    let race = (0..6).map(|_| {
        let mut client = site.client();
        async move { client.sign_up("Ada").await.status }
    });
    let mut statuses = futures_util::future::join_all(race).await;
    statuses.sort_unstable();
    assert_eq!(statuses, [303, 422, 422, 422, 422, 422]);
    site.stop().await;
}

#[tokio::test]
async fn the_sign_in_link_keeps_the_current_page() {
    let site = TestSite::start(&TestDatabase::Sqlite, vec![bellwire_home::app()]).await;
    let (sign_in, sign_up) =
        ("/accounts/login/?next=%2Fchat%2Fhi%2F", "/accounts/signup/?next=%2Fchat%2Fhi%2F");
    let fields = [("username", ""), ("next", "/chat/hi/")];
    let pages = [
        site.client().get(sign_in).await,
        site.client().get(sign_up).await,
        site.client().get("/accounts/first/?next=/chat/hi/").await,
        site.client().post("/accounts/login/", &fields).await,
        site.client().post("/accounts/signup/", &fields).await,
        site.client().post("/accounts/first/", &fields).await,
    ];
    for page in pages {
        let header =
            page.text.split("id=\"account\"").nth(1).unwrap().split("</header>").next().unwrap();
        assert!(header.contains(sign_in) && header.contains(sign_up), "{header}");
    }
    let page = site.client().get("/accounts/login/?next=//evil.example/").await;
    assert!(page.text.contains("href=\"/accounts/login/\"") && !page.text.contains("evil"));
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn a_null_character_in_any_field_is_refused_without_a_server_error(database: TestDatabase) {
    let site = TestSite::start(&database, vec![bellwire_home::app()]).await;
    site.client().sign_up("Ada").await;
    let mut eve = site.client();
    for name in ["\0", "Ada\0", "\0Ada", "ada@example.org\0", "a\0@b"] {
        let answer = eve.sign_in(name, PASSWORD).await;
        assert_eq!(answer.status, 422, "{database:?} {name:?}");
        assert!(answer.text.contains("no account with this name"), "{name:?}: {}", answer.text);
        let answer = sign_up(&mut eve, name, "", PASSWORD, PASSWORD).await;
        assert_eq!(answer.status, 422, "{database:?} {name:?}");
    }
    assert_eq!(sign_up(&mut eve, "Eve", "e\0@example.org", PASSWORD, PASSWORD).await.status, 422);
    let long = "\0a bell for every test\0";
    let fields =
        [("username", "Eve"), ("password", long), ("password_confirm", long), ("next", "/\0")];
    let answer = eve.post("/accounts/signup/", &fields).await;
    assert_eq!(
        (answer.status, answer.location()),
        (303, "/"),
        "a password may contain it, because it is hashed"
    );
    assert_eq!(site.client().sign_in("Eve", long).await.status, 303);
    assert_eq!(eve.get("/accounts/login/?next=%00").await.location(), "/");
    assert_eq!(eve.post("/accounts/sessions/%00/end/", &[]).await.status, 400);
    let planted = [("cookie", "bellwire_session=%00; bellwire_session=\\0")];
    assert_eq!(site.client().get_with("/", &planted).await.status, 200);
    site.stop().await;
}
