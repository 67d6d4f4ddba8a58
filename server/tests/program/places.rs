//! Where one is, as every page of every app says it.

use crate::support::{Server, Visit, bellwire, folder};

/// The places in the site's bar that are marked as where one is; nothing where a page has no bar.
fn marked(page: &str) -> Option<Vec<&str>> {
    let bar = page.split("<nav class=\"bar__nav\"").nth(1)?.split("</nav>").next()?;
    let marks = bar.split("aria-current=\"page\">").skip(1);
    Some(marks.filter_map(|rest| rest.split('<').next()).collect())
}

/// The demos, as the page that leads to them links them.
fn demos(overview: &str) -> Vec<String> {
    let links = overview.split("class=\"card__link\" href=\"").skip(1);
    links.filter_map(|rest| Some(rest.split_once('"')?.0.to_owned())).collect()
}

#[test]
fn every_page_of_every_app_is_marked_as_that_apps_place_and_as_no_others() {
    let folder = folder("places");
    let server = Server::start(bellwire(&folder));
    let mut ada = Visit::to(&server.address, "").unwrap();
    let overview = ada.get("/playground/").unwrap().text;
    let demos = demos(&overview);
    assert!(demos.len() >= 9, "{demos:?}");
    let mut pages: Vec<_> = demos.into_iter().map(|path| ("Playground", path)).collect();
    for (place, path) in [
        ("Playground", "/playground/"),
        ("Playground", "/pages/login/"),
        ("Playground", "/pages/signup/"),
        ("Playground", "/pages/nobody/"),
        ("Blog", "/blog/"),
        ("Blog", "/blog/about/"),
        ("Blog", "/blog/article/nobody-wrote-it/"),
        ("Social", "/social/"),
        ("Social", "/social/messages/1/"),
    ] {
        pages.push((place, path.to_owned()));
    }
    for (place, path) in pages {
        let page = ada.get(&path).unwrap().text;
        // The chats in plain htmx are pages of their own, with nothing of the site around them.
        let places = (!path.starts_with("/htmx/")).then(|| vec![place]);
        assert_eq!(marked(&page), places, "{path}: {page}");
    }
    ada.sign_up("Ada");
    ada.post("/chat/", "name=Garden").unwrap();
    for (place, path) in [
        ("Chat", "/chat/"),
        ("Chat", "/chat/garden/"),
        ("Chat", "/chat/-/people/"),
        ("Chat", "/chat/-/search/?q=tea"),
        ("Chat", "/chat/nowhere/"),
    ] {
        let page = ada.get(path).unwrap().text;
        assert_eq!(marked(&page), Some(vec![place]), "{path}: {page}");
    }
    for path in ["/", "/accounts/", "/nowhere/"] {
        assert_eq!(marked(&ada.get(path).unwrap().text), Some(vec![]), "{path}");
    }
    drop(server);
    std::fs::remove_dir_all(&folder).unwrap();
}
