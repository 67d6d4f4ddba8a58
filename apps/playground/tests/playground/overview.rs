//! The list of demos.

use bellwire_testkit::Answer;

use crate::support::playground;

/// The addresses of the links in a page's content.
fn links(page: &Answer) -> Vec<String> {
    let main = page.text.split("<main").nth(1).expect("a main part");
    main.split("class=\"card__link\" href=\"")
        .skip(1)
        .filter_map(|rest| Some(rest.split_once('"')?.0.to_owned()))
        .collect()
}

#[tokio::test]
async fn every_demo_is_linked_and_its_page_is_complete() {
    let site = playground().await;
    let mut ada = site.client();
    let home = ada.get("/").await;
    assert!(home.text.contains("href=\"/playground/\""), "the front page links here");
    let overview = ada.get("/playground/").await;
    assert_eq!(overview.status, 200);
    let demos = links(&overview);
    assert!(demos.len() >= 4, "{demos:?}");
    for demo in demos {
        let page = ada.get(&demo).await;
        assert_eq!(page.status, 200, "{demo}");
        assert!(
            page.text.contains("<title>")
                && page.text.contains("<meta name=\"description\" content="),
            "{demo}"
        );
        assert!(page.text.contains("<h1"), "{demo} has a heading");
    }
    site.stop().await;
}
