//! The migrations of this crate's own tables.

use sea_orm::DynIden;
use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, string, text};

/// The migrations of this crate's own tables, which come before those of accounts and apps.
#[derive(Debug)]
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![Box::new(FeedEpochs), Box::new(FeedJournal)]
    }

    fn migration_table_name() -> DynIden {
        "bellwire_migrations".into_iden()
    }
}

/// Creates the table of the epochs under which feeds were written.
struct FeedEpochs;

impl MigrationName for FeedEpochs {
    fn name(&self) -> &str {
        "m0001_feed_epochs"
    }
}

#[allow(
    elided_lifetimes_in_paths,
    reason = "the trait writes its lifetimes so, and async-trait needs the same"
)]
#[async_trait::async_trait]
impl MigrationTrait for FeedEpochs {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let table = Table::create()
            .table("feed_epochs")
            .col(string("feed"))
            .col(big_integer("epoch"))
            .col(big_integer("first_seq"))
            .primary_key(Index::create().col("feed").col("epoch"))
            .to_owned();
        manager.create_table(table).await
    }
}

/// Creates the table of the journals.
struct FeedJournal;

impl MigrationName for FeedJournal {
    fn name(&self) -> &str {
        "m0002_feed_journal"
    }
}

#[allow(
    elided_lifetimes_in_paths,
    reason = "the trait writes its lifetimes so, and async-trait needs the same"
)]
#[async_trait::async_trait]
impl MigrationTrait for FeedJournal {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let table = Table::create()
            .table("feed_journal")
            .col(string("feed"))
            .col(big_integer("seq"))
            .col(text("patch"))
            .primary_key(Index::create().col("feed").col("seq"))
            .to_owned();
        manager.create_table(table).await
    }
}
