//! Tables, brought up to date.

use bellwire_db::{Db, Migrations};
use sea_orm_migration::prelude::*;

use crate::support::{TestDatabase, on_both, with_notes};

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

on_both! {
    processes_that_start_at_once_do_not_migrate_twice,
}
