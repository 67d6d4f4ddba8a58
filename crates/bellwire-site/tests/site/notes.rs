//! A test site with an additional table of notes.

use bellwire_site::{Db, DbError, Tx};
use bellwire_testkit::{TestDatabase, TestSite};
use sea_orm::{ConnectionTrait, Statement};

pub(crate) async fn with_notes(database: &TestDatabase) -> (TestSite, Db) {
    let site = TestSite::start(database, vec![bellwire_home::app()]).await;
    let db = site.state().db().clone();
    let made = db.write(async |tx: Tx| {
        Ok::<_, DbError>(tx.execute_unprepared("CREATE TABLE notes (n INTEGER)").await?)
    });
    made.await.unwrap();
    (site, db)
}

pub(crate) async fn note(tx: &Tx, n: i32) -> Result<(), DbError> {
    tx.execute_unprepared(&format!("INSERT INTO notes VALUES ({n})")).await?;
    Ok(())
}

pub(crate) async fn notes(db: &impl ConnectionTrait) -> Vec<i32> {
    let all = Statement::from_string(db.get_database_backend(), "SELECT n FROM notes ORDER BY n");
    db.query_all_raw(all).await.unwrap().iter().map(|row| row.try_get("", "n").unwrap()).collect()
}
