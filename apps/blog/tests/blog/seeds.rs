//! The sample articles of `bellwire seed`.

use bellwire_blog::models::Comment;
use bellwire_site::seed::{Progress, SeedOptions, apps, people};
use bellwire_testkit::{TestDatabase, TestSite, apply, on_databases};

use crate::support::{at, blog, comment_texts, staff, titles};

async fn fill(site: &TestSite) {
    let mut progress = Progress::quiet();
    let people = people(site.state(), &mut progress).await.unwrap();
    apps(site.state(), &[bellwire_blog::app()], &people, &mut progress, &SeedOptions::default())
        .await
        .unwrap();
}

#[apply(on_databases)]
#[tokio::test]
async fn seeding_twice_adds_nothing_and_removed_comments_stay_removed(database: TestDatabase) {
    let site = blog(&database).await;
    tokio::join!(fill(&site), fill(&site));
    let mut writer = staff(&site, "Ada").await;
    let page = writer.get("/blog/?page=6").await.text;
    assert_eq!(titles(&page).len(), 30);
    assert!(
        !page.contains("More articles")
            && page.contains("24 comments")
            && page.contains("静かな朝に読む")
    );
    let bread = at(&site, "/blog/article/the-bread-that-nobody-hurries/").await;
    let comments = Comment::newest(site.state().db().read(), bread.row.id, None, 99).await.unwrap();
    assert_eq!(comments.len(), 24);
    assert!(comments.is_sorted_by_key(|comment| comment.created_at));
    let remove = format!("/blog/comment/{}/remove/", comments[3].id);
    assert_eq!(writer.post(&remove, &[]).await.status, 303);
    fill(&site).await;
    assert_eq!(comment_texts(&writer.get(&bread.path()).await.text).len(), 23);
    assert_eq!(titles(&writer.get("/blog/?page=6").await.text).len(), 30);
    assert_eq!(
        titles(&writer.get("/blog/?search=%E6%9C%9D%E3%81%AE%E5%85%AD%E6%99%82").await.text),
        ["静かな朝に読む"]
    );
    site.stop().await;
}
