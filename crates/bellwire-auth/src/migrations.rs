//! The tables of the accounts.

use sea_orm::DynIden;
use sea_orm_migration::prelude::*;

mod m0001_accounts;
mod m0002_ended_sessions;
mod m0003_staff;
mod m0004_tickets;
mod m0005_anonymous_sessions;

/// The migrations of the accounts' tables.
#[derive(Debug)]
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m0001_accounts::Migration),
            Box::new(m0002_ended_sessions::Migration),
            Box::new(m0003_staff::Migration),
            Box::new(m0004_tickets::Migration),
            Box::new(m0005_anonymous_sessions::Migration),
        ]
    }

    fn migration_table_name() -> DynIden {
        "accounts_migrations".into_iden()
    }
}
