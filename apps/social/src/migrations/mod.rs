//! The migrations of the social network's tables.

use sea_orm_migration::prelude::*;

mod m0001_messages;

pub(crate) struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![Box::new(m0001_messages::Migration)]
    }

    fn migration_table_name() -> DynIden {
        "social_migrations".into_iden()
    }
}
