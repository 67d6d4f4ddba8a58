//! The chat's tables, and how they came to be.

use sea_orm_migration::prelude::*;

mod m0001_rooms_and_messages;
mod m0002_people_and_places;
mod m0003_search;

pub(crate) struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m0001_rooms_and_messages::Migration),
            Box::new(m0002_people_and_places::Migration),
            Box::new(m0003_search::Migration),
        ]
    }

    fn migration_table_name() -> DynIden {
        "chat_migrations".into_iden()
    }
}
