//! The current entry of the site's navigation, on every page of every app.

use crate::support::{HttpClient, Server, bellwire, folder};

/// The navigation entries marked as current. `None` if the page has no navigation bar.
fn current_entries(page: &str) -> Option<Vec<&str>> {
    let bar = page.split("<nav class=\"bar__nav\"").nth(1)?.split("</nav>").next()?;
    let marks = bar.split("aria-current=\"page\">").skip(1);
    Some(marks.filter_map(|rest| rest.split('<').next()).collect())
}

/// The paths of the demos, from the links of their overview page.
fn demos(overview: &str) -> Vec<String> {
    let links = overview.split("class=\"card__link\" href=\"").skip(1);
    links.filter_map(|rest| Some(rest.split_once('"')?.0.to_owned())).collect()
}

#[test]
fn every_page_marks_its_own_app_as_the_only_current_navigation_entry() {
    let folder = folder("entries");
    let server = Server::start(bellwire(&folder));
    let mut ada = HttpClient::connect(&server.address, "").unwrap();
    let overview = ada.get("/playground/").unwrap().text;
    let demos = demos(&overview);
    assert!(demos.len() >= 9, "{demos:?}");
    let mut pages: Vec<_> = demos.into_iter().map(|path| ("Playground", path)).collect();
    for (entry, path) in [
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
        pages.push((entry, path.to_owned()));
    }
    for (entry, path) in pages {
        let page = ada.get(&path).unwrap().text;
        // The plain htmx chats are standalone pages without the site's layout.
        let entries = (!path.starts_with("/htmx/")).then(|| vec![entry]);
        assert_eq!(current_entries(&page), entries, "{path}: {page}");
    }
    ada.sign_up("Ada");
    ada.post("/chat/", "name=Garden").unwrap();
    for (entry, path) in [
        ("Chat", "/chat/"),
        ("Chat", "/chat/garden/"),
        ("Chat", "/chat/-/people/"),
        ("Chat", "/chat/-/search/?q=tea"),
        ("Chat", "/chat/nowhere/"),
    ] {
        let page = ada.get(path).unwrap().text;
        assert_eq!(current_entries(&page), Some(vec![entry]), "{path}: {page}");
    }
    for path in ["/", "/accounts/", "/nowhere/"] {
        assert_eq!(current_entries(&ada.get(path).unwrap().text), Some(vec![]), "{path}");
    }
    drop(server);
    std::fs::remove_dir_all(&folder).unwrap();
}
