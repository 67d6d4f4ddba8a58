//! The migrations of the blog's tables.

use sea_orm_migration::prelude::*;

mod m0001_articles_and_comments;
mod m0002_first_published;
mod m0003_summaries;

pub(crate) struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m0001_articles_and_comments::Migration),
            Box::new(m0002_first_published::Migration),
            Box::new(m0003_summaries::Migration),
        ]
    }

    fn migration_table_name() -> DynIden {
        "blog_migrations".into_iden()
    }
}
