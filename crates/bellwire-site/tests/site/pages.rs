//! Tests of pages, headers, static files and error pages.

use axum::Router;
use axum::extract::{Form, Path};
use axum::http::Method;
use axum::routing::{get, post};
use bellwire::{Html, Patch};
use bellwire_site::{App, NavItem, Page, SiteError, SiteState, User};
use bellwire_testkit::{TestDatabase, TestSite, apply, on_databases};

fn routes(_: &SiteState) -> Router<SiteState> {
    Router::new()
        .route(
            "/try/",
            get(async || {
                Page::new("A <try>", Html::text("<b>")).style("try/a.css").script("try/b.js")
            }),
        )
        .route("/try/whole/", get(async || whole()))
        .route("/tried/", get(async || whole()))
        .route("/try/panic/", get(async || -> Page { panic!("a secret") }))
        .route("/try/error/", get(async || SiteError::internal("a secret")))
        .route("/try/mine/", get(async |user: User| user.name).post(async |user: User| user.key()))
        .route(
            "/try/public/",
            get(async |_: User| ([("cache-control", "public, max-age=60")], "for all")),
        )
        .route("/try/named/{name}", get(async |Path(name): Path<String>| name))
        .route(
            "/try/form/",
            post(async |Form(fields): Form<Vec<(String, String)>>| fields.len().to_string()),
        )
}

fn app() -> App {
    App::new("try").routes(routes).nav_item(NavItem {
        title: "Try",
        path: "/try/",
        about: "Tries things.",
    })
}

fn whole() -> Page {
    Page::new("Tea & cake", Html::trusted("<h1>Tea</h1>"))
        .nav(Html::trusted("<ul></ul>"))
        .connect("/ws/try/")
        .description("\"All\" about <tea>.")
        .kind("article")
}

/// An app whose path has the other's path as a prefix.
fn prefixed() -> App {
    let routes = |_: &SiteState| Router::new().route("/try/beside/", get(async || whole()));
    App::new("beside").routes(routes).nav_item(NavItem {
        title: "Beside",
        path: "/try/beside/",
        about: "Stands beside.",
    })
}

async fn start() -> TestSite {
    TestSite::start(&TestDatabase::Sqlite, vec![bellwire_home::app(), app(), prefixed()]).await
}

/// The navigation items that are marked as current.
fn marked(page: &str) -> Vec<&str> {
    let bar = page
        .split("<nav class=\"bar__nav\"")
        .nth(1)
        .expect("a bar")
        .split("</nav>")
        .next()
        .expect("its end");
    let marks = bar.split("aria-current=\"page\">").skip(1);
    marks.filter_map(|rest| rest.split('<').next()).collect()
}

#[tokio::test]
async fn the_navigation_marks_the_app_that_serves_the_page() {
    let site = start().await;
    for (path, places) in [
        ("/try/", &["Try"][..]),
        ("/try/whole/", &["Try"]),
        ("/tried/", &["Try"]),
        ("/try/error/", &["Try"]),
        ("/try/beside/", &["Beside"]),
        ("/", &[]),
        ("/accounts/first/", &[]),
        ("/nothing/", &[]),
    ] {
        let page = site.client().get(path).await.text;
        assert_eq!(marked(&page), places, "{path}");
    }
    site.stop().await;
}

#[tokio::test]
async fn a_page_is_rendered_in_the_shell_with_its_styles_and_navigation() {
    let site = start().await;
    let page = site.client().get("/try/").await;
    let build = site.state().build();
    assert!(page.text.starts_with("<!doctype html>"));
    assert!(page.text.contains("<title>A &#60;try&#62; · Bellwire</title>"), "{}", page.text);
    assert!(page.text.contains(&format!("href=\"{build}/try/a.css\"")));
    assert!(page.text.contains(&format!("type=\"module\" src=\"{build}/try/b.js\"")));
    assert!(page.text.contains("&lt;b&gt;"));
    assert!(page.text.contains("<a href=\"/try/\" aria-current=\"page\">Try</a>"));
    assert!(site.client().get("/").await.text.contains("Tries things."));
    site.stop().await;
}

#[tokio::test]
async fn a_page_has_its_own_navigation_socket_and_description() {
    let site = start().await;
    let page = site.client().get("/try/whole/").await.text;
    let url = site.state().public_url().absolute("/try/whole/");
    for part in [
        "<nav class=\"subnav\" id=\"nav\"",
        "<main id=\"main\" tabindex=\"-1\" bw-connect=\"/ws/try/\">",
        "<meta name=\"description\" content=\"&#34;All&#34; about &#60;tea&#62;.\">",
        "<meta property=\"og:title\" content=\"Tea &#38; cake\">",
        "<meta property=\"og:type\" content=\"article\">",
        &format!("<meta property=\"og:url\" content=\"{url}\">"),
    ] {
        assert!(page.contains(part), "{part} in {page}");
    }
    let plain = site.client().get("/try/").await.text;
    assert!(
        !plain.contains("id=\"nav\"")
            && !plain.contains("bw-connect")
            && !plain.contains("description")
    );
    site.stop().await;
}

#[tokio::test]
async fn a_page_shown_over_a_socket_matches_the_shell() {
    let site = TestSite::start(&TestDatabase::Sqlite, vec![]).await;
    let [nav, main] = &whole().moved(site.state(), "/try/whole/")[..] else {
        panic!("two patches")
    };
    assert_eq!(*nav, Patch::inner("#nav", Html::trusted("<ul></ul>")));
    let there = Patch::inner("#main", Html::trusted("<h1>Tea</h1>")).url("/try/whole/");
    assert_eq!(*main, there.title("Tea & cake · Bellwire").focus("#main"));
    assert_eq!(Page::new("", Html::text("")).moved(site.state(), "/").len(), 1);
    site.stop().await;
}

#[tokio::test]
async fn robots_txt_excludes_private_paths_and_lists_sitemaps() {
    let mapped = || app().sitemap("/try/map.xml");
    let site =
        TestSite::start_with(&TestDatabase::Sqlite, vec![mapped(), prefixed()], |settings| {
            settings.url = "https://chat.example".parse().ok();
        })
        .await;
    let robots = site.client().get_with("/robots.txt", &[("accept", "*/*")]).await;
    assert_eq!((robots.status, robots.header("content-type")), (200, "text/plain; charset=utf-8"));
    assert_eq!(
        robots.text,
        "User-agent: *\nDisallow: /accounts/\nDisallow: /ws/\n\nSitemap: https://chat.example/try/map.xml\n"
    );
    site.stop().await;
    let site = TestSite::start(&TestDatabase::Sqlite, vec![prefixed()]).await;
    let robots = site.client().get("/robots.txt").await.text;
    assert_eq!(
        robots, "User-agent: *\nDisallow: /accounts/\nDisallow: /ws/\n",
        "no app has a sitemap"
    );
    site.stop().await;
}

#[tokio::test]
async fn every_response_has_security_and_cache_headers() {
    let site = start().await;
    let asset = format!("{}/site.css", site.state().build());
    for path in ["/", "/try/", "/nothing/", "/try/panic/", "/accounts/login/", &asset] {
        let page = site.client().get(path).await;
        let policy = page.header("content-security-policy");
        assert!(
            policy.contains("default-src 'self'; script-src 'self'; style-src 'self'"),
            "{path}: {policy}"
        );
        assert!(!policy.contains("unsafe") && policy.contains("frame-ancestors 'none'"));
        assert_eq!(page.header("x-content-type-options"), "nosniff");
        assert_eq!(page.header("referrer-policy"), "same-origin");
        assert_eq!(page.header("cross-origin-opener-policy"), "same-origin");
    }
    let page = site.client().get("/").await;
    assert_eq!(
        (page.header("cache-control"), page.header("vary")),
        ("private, no-cache", "Cookie")
    );
    assert!(
        !page.text.contains("<style")
            && !page.text.contains(" style=")
            && !page.text.contains("onclick")
    );
    site.stop().await;
}

#[tokio::test]
async fn a_site_on_https_sends_strict_transport_security() {
    for (url, expected) in
        [("https://chat.example", "max-age=31536000"), ("http://chat.example", "")]
    {
        let site = TestSite::start_with(&TestDatabase::Sqlite, vec![app()], |settings| {
            settings.url = url.parse().ok();
        })
        .await;
        for path in ["/", "/nothing/"] {
            assert_eq!(
                site.client().get(path).await.header("strict-transport-security"),
                expected,
                "{url}"
            );
        }
        site.stop().await;
    }
}

#[tokio::test]
async fn errors_are_a_page_for_browsers_and_a_line_for_programs() {
    let site = start().await;
    for (method, path, status, expected) in [
        (Method::GET, "/nothing/", 404, "There is nothing at this address."),
        (Method::GET, "/static/nothing/site.css", 404, "There is nothing at this address."),
        (Method::DELETE, "/try/", 405, "does not support this method"),
        (Method::GET, "/try/panic/", 500, "Something went wrong on the server."),
        (Method::GET, "/try/error/", 500, "Something went wrong on the server."),
        (Method::POST, "/try/mine/", 401, "You are signed out."),
        (Method::GET, "/ws/", 426, "WebSocket"),
    ] {
        let page = site.client().send(method.clone(), path, &[], String::new()).await;
        assert_eq!(page.status, status, "{path}");
        assert!(
            page.text.contains("<main id=\"main\"") && page.text.contains(expected),
            "{path}: {}",
            page.text
        );
        assert!(!page.text.contains("secret"));
        let line = site.client().send(method, path, &[("accept", "*/*")], String::new()).await;
        for answer in [&page, &line] {
            assert!(answer.headers.get_all("vary").iter().any(|vary| vary == "Accept"), "{path}");
        }
        assert_eq!(line.status, status, "{path}");
        assert!(!line.text.contains('<') && !line.text.contains("secret"), "{path}: {}", line.text);
    }
    site.stop().await;
}

#[tokio::test]
async fn text_submitted_while_signed_out_is_shown_again_with_a_sign_in_link() {
    let site = start().await;
    let (origin, from) = (site.url(""), site.url("/try/?page=2"));
    let headers = [("origin", &*origin), ("referer", &*from)];
    let fields =
        [("message", "Lunch? </textarea><b>"), ("password", "a secret"), ("client_id", "an id")];
    let page = site.client().post_with("/try/mine/", &headers, &fields).await;
    assert_eq!(page.status, 401);
    assert!(
        page.text.contains("Lunch? &#60;/textarea&#62;&#60;b&#62;</textarea>"),
        "{}",
        page.text
    );
    assert!(page.text.contains("was not sent") && !page.text.contains("a secret"));
    assert!(!page.text.contains("an id") && page.header("cache-control") == "private, no-cache");
    assert!(
        page.text.contains("href=\"/accounts/login/?next=%2Ftry%2F%3Fpage%3D2\""),
        "{}",
        page.text
    );
    let elsewhere = [("origin", &*origin), ("referer", "https://evil.example/try/")];
    let page = site.client().post_with("/try/mine/", &elsewhere, &[]).await;
    assert!(page.text.contains("href=\"/accounts/login/\"") && !page.text.contains("evil"));
    let program = [("origin", &*origin), ("accept", "*/*")];
    let line = site.client().post_with("/try/mine/", &program, &fields).await;
    assert!(line.status == 401 && !line.text.contains("Lunch"), "{}", line.text);
    let big = "x".repeat(256 * 1024);
    assert_eq!(site.client().post("/try/mine/", &[("message", &big)]).await.status, 413);
    site.stop().await;
}

#[tokio::test]
async fn extractor_errors_are_detailed_for_programs_and_plain_for_people() {
    let site = start().await;
    let form = [("content-type", "application/x-www-form-urlencoded")];
    for (method, path, body, status, raw) in [
        (Method::POST, "/accounts/login/", "username=a&username=b", 422, "duplicate field"),
        (Method::GET, "/accounts/login/?next=a&next=b", "", 400, "duplicate field"),
        (Method::GET, "/try/named/%ff", "", 400, "UTF-8"),
    ] {
        let page = site.client().send(method.clone(), path, &form, body.into()).await;
        assert_eq!(page.status, status, "{path}");
        assert!(
            page.text.contains("<main id=\"main\"") && !page.text.contains(raw),
            "{}",
            page.text
        );
        assert!(
            page.text.contains("The submitted form does not match")
                || page.text.contains("could not be understood")
        );
        let headers = [form[0], ("accept", "*/*")];
        let line = site.client().send(method, path, &headers, body.into()).await;
        assert!(line.status == status && line.text.contains(raw), "{path}: {}", line.text);
    }
    site.stop().await;
}

#[tokio::test]
async fn an_oversized_or_invalid_body_is_refused() {
    let site = start().await;
    let big = "x".repeat(256 * 1024);
    let refused = site.client().post("/try/form/", &[("a", &big)]).await;
    assert_eq!(refused.status, 413);
    assert!(refused.text.contains("<main id=\"main\""));
    let fits = site.client().post("/try/form/", &[("a", &big[..200_000])]).await;
    assert_eq!((fits.status, &*fits.text), (200, "1"));
    let no_form = [("content-type", "text/plain")];
    assert_eq!(
        site.client().send(Method::POST, "/try/form/", &no_form, "a=b".into()).await.status,
        415
    );
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn anonymous_requests_are_redirected_to_the_right_form(database: TestDatabase) {
    let site = TestSite::start(&database, vec![app()]).await;
    let mut stranger = site.client();
    let answer = stranger.get("/try/mine/?a=b&c=ü").await;
    let expected = "/accounts/first/?next=%2Ftry%2Fmine%2F%3Fa%3Db%26c%3D%25C3%25BC";
    assert_eq!((answer.status, answer.location()), (303, expected));
    let form = stranger.get(answer.location()).await;
    assert!(
        form.text.contains("name=\"next\" value=\"/try/mine/?a=b&#38;c=%C3%BC\""),
        "{}",
        form.text
    );
    let fields = [
        ("username", "Ada"),
        ("password", "a bell for ada"),
        ("password_confirm", "a bell for ada"),
        ("next", "/try/mine/?a=b"),
    ];
    let first = site.client().post("/accounts/first/", &fields).await;
    assert_eq!((first.status, first.location()), (303, "/try/mine/?a=b"));
    let late = stranger.get(answer.location()).await;
    assert_eq!(late.location(), "/accounts/login/?next=%2Ftry%2Fmine%2F%3Fa%3Db%26c%3D%25C3%25BC");
    let answer = stranger.get("/try/mine/?a=b&c=%C3%BC").await;
    let expected = "/accounts/login/?next=%2Ftry%2Fmine%2F%3Fa%3Db%26c%3D%25C3%25BC";
    assert_eq!((answer.status, answer.location()), (303, expected));
    let form = stranger.get(answer.location()).await;
    assert!(
        form.text.contains("name=\"next\" value=\"/try/mine/?a=b&#38;c=%C3%BC\""),
        "{}",
        form.text
    );
    let program = stranger.get_with("/try/mine/", &[("accept", "application/json")]).await;
    let socket = stranger
        .get_with("/try/mine/", &[("connection", "upgrade"), ("upgrade", "websocket")])
        .await;
    assert_eq!((program.status, socket.status), (401, 401));
    let mut grace = site.person("Grace").await;
    let mine = grace.get("/try/mine/").await;
    assert_eq!(
        (&*mine.text, mine.header("cache-control"), mine.header("vary")),
        ("Grace", "no-store", "Cookie")
    );
    let public = grace.get("/try/public/").await;
    assert_eq!((public.header("cache-control"), public.header("vary")), ("public, max-age=60", ""));
    site.stop().await;
}

#[tokio::test]
async fn static_files_are_immutable_and_compressed() {
    let site = start().await;
    let mut client = site.client();
    let path = format!("{}/site.css", site.state().build());
    let plain = client.get(&path).await;
    assert_eq!((plain.status, plain.header("content-type")), (200, "text/css; charset=utf-8"));
    assert_eq!(plain.header("cache-control"), "public, max-age=31536000, immutable");
    let script = client.get(&format!("{}/bellwire.js", site.state().build())).await;
    assert_eq!(script.header("content-type"), "text/javascript; charset=utf-8");
    for (accept, encoding) in [("gzip", "gzip"), ("gzip, br", "br"), ("identity", "")] {
        let file = client.get_with(&path, &[("accept-encoding", accept)]).await;
        assert_eq!(
            (file.header("content-encoding"), file.header("vary")),
            (encoding, "Accept-Encoding")
        );
    }
    let known = client.get_with(&path, &[("if-none-match", plain.header("etag"))]).await;
    assert_eq!((known.status, &*known.text), (304, ""));
    for missing in ["/static/site.css", "/static/0000000000000000/site.css", &format!("{path}.map")]
    {
        assert_eq!(client.get(missing).await.status, 404, "{missing}");
    }
    site.stop().await;
}

#[tokio::test]
async fn in_development_files_are_served_only_from_the_configured_folder() {
    let folder = std::env::temp_dir().join(format!("bellwire-assets-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("site.css"), "a { }").unwrap();
    let assets = folder.join("inner");
    std::fs::create_dir_all(&assets).unwrap();
    std::fs::write(assets.join("site.css"), "b { }").unwrap();
    let site =
        TestSite::start_with(&TestDatabase::Sqlite, vec![bellwire_home::app()], |settings| {
            settings.assets = vec![assets.clone()]
        })
        .await;
    let build = site.state().build().to_owned();
    let file = site.client().get(&format!("{build}/site.css")).await;
    assert_eq!((&*file.text, file.header("cache-control")), ("b { }", "no-store"));
    std::fs::write(assets.join("site.css"), "c { }").unwrap();
    assert_eq!(site.client().get(&format!("{build}/site.css")).await.text, "c { }");
    assert_eq!(site.client().get(&format!("{build}/bellwire.js")).await.status, 200, "embedded");
    for outside in ["../site.css", "..%2Fsite.css", "%2E%2E/site.css", "%2Fetc/passwd"] {
        assert_eq!(site.client().get(&format!("{build}/{outside}")).await.status, 404, "{outside}");
    }
    site.stop().await;
    std::fs::remove_dir_all(&folder).unwrap();
}
