//! Tables, brought up to date.

use bellwire_db::{Db, DbError, Migrations, Tx};
use sea_orm::ConnectionTrait;
use sea_orm_migration::prelude::*;

use crate::support::{TestDatabase, note, on_both, with_notes};

struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![Box::new(Pages)]
    }

    fn migration_table_name() -> DynIden {
        Alias::new("pages_migrations").into_iden()
    }
}

#[derive(DeriveMigrationName)]
struct Pages;

#[expect(
    elided_lifetimes_in_paths,
    reason = "the trait writes its lifetimes so, and async-trait needs the same"
)]
#[async_trait::async_trait]
impl MigrationTrait for Pages {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.get_connection().execute_unprepared("CREATE TABLE pages (n INTEGER)").await.map(drop)
    }
}

async fn processes_that_start_at_once_do_not_migrate_twice(database: TestDatabase) {
    let (home, db) = with_notes(database).await;
    let migrations = [Migrations::of::<Migrator>()];
    assert_eq!(Db::pending(home.url(), &migrations).await.unwrap(), 1);
    let others = (0..4).map(|_| home.open(&migrations));
    for other in futures_util::future::join_all(others).await {
        other.close().await;
    }
    assert_eq!(Db::pending(home.url(), &migrations).await.unwrap(), 0);
    home.end(db).await;
}

/// A table with a full-text index that a trigger keeps, and a foreign key, by which SQLite looks the
/// table up once more after it has met the trigger.
const POSTS: [&str; 5] = [
    "CREATE TABLE topics (id INTEGER PRIMARY KEY)",
    "CREATE TABLE posts (id INTEGER PRIMARY KEY, topic INTEGER REFERENCES topics (id))",
    "CREATE TABLE likes (post INTEGER REFERENCES posts (id) ON DELETE CASCADE)",
    "CREATE VIRTUAL TABLE words USING fts5(text, content='', contentless_delete=1)",
    "CREATE TRIGGER gone AFTER DELETE ON posts BEGIN DELETE FROM words WHERE rowid = old.id; END",
];

async fn the_writer_knows_a_schema_that_another_process_has_changed(database: TestDatabase) {
    let (home, first) = with_notes(database).await;
    let tables = if database == TestDatabase::Sqlite { &POSTS[..] } else { &POSTS[..3] };
    let made = first.write(async move |tx: Tx| {
        for statement in tables {
            tx.execute_unprepared(statement).await?;
        }
        Ok::<_, DbError>(())
    });
    made.await.unwrap();
    first.close().await;
    let db = home.open(&[]).await;
    // After this the connection has a schema in memory.
    db.write(async |tx: Tx| note(&tx, 1).await).await.unwrap();
    home.open(&[Migrations::of::<Migrator>()]).await.close().await;
    let deleted =
        db.write(async |tx: Tx| Ok::<_, DbError>(tx.execute_unprepared("DELETE FROM posts").await?));
    deleted.await.unwrap();
    home.end(db).await;
}

on_both! {
    the_writer_knows_a_schema_that_another_process_has_changed,
    processes_that_start_at_once_do_not_migrate_twice,
}
