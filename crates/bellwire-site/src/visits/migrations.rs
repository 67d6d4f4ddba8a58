//! The table of visits.

use sea_orm::DynIden;
use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, binary_len, string_len, text, timestamp_with_time_zone};

/// The history of the table.
#[derive(Debug)]
pub(crate) struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![Box::new(M0001Visits)]
    }

    fn migration_table_name() -> DynIden {
        "visits_migrations".into_iden()
    }
}

struct M0001Visits;

impl MigrationName for M0001Visits {
    fn name(&self) -> &str {
        "m0001_visits"
    }
}

#[derive(DeriveIden)]
enum Visits {
    Table,
    Id,
    TokenHash,
    Address,
    Data,
    CreatedAt,
    LastSeenAt,
}

#[allow(
    elided_lifetimes_in_paths,
    reason = "the trait writes its lifetimes so, and async-trait needs the same"
)]
#[async_trait::async_trait]
impl MigrationTrait for M0001Visits {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let visits = Table::create()
            .table(Visits::Table)
            .col(big_integer(Visits::Id).primary_key().auto_increment())
            .col(binary_len(Visits::TokenHash, 32).unique_key())
            .col(string_len(Visits::Address, 64))
            .col(text(Visits::Data))
            .col(timestamp_with_time_zone(Visits::CreatedAt))
            .col(timestamp_with_time_zone(Visits::LastSeenAt))
            .to_owned();
        manager.create_table(visits).await?;
        for (name, column) in [("visits_address", Visits::Address), ("visits_last_seen", Visits::LastSeenAt)]
        {
            manager
                .create_index(Index::create().name(name).table(Visits::Table).col(column).to_owned())
                .await?;
        }
        Ok(())
    }
}
