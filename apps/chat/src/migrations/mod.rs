//! Migrations of the chat's tables.

use sea_orm_migration::prelude::*;

mod m0001_rooms_and_messages;
mod m0002_people_and_places;
mod m0003_search;
mod m0004_members;
mod m0005_folded_texts;

pub(crate) struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m0001_rooms_and_messages::Migration),
            Box::new(m0002_people_and_places::Migration),
            Box::new(m0003_search::Migration),
            Box::new(m0004_members::Migration),
            Box::new(m0005_folded_texts::Migration),
        ]
    }

    fn migration_table_name() -> DynIden {
        "chat_migrations".into_iden()
    }
}
