//! The change counter: one row, which also serves as the lock for all writes.

use bellwire_site::bellwire::Topic;
use sea_orm::QuerySelect;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::ExprTrait;

use crate::{Event, SocialError};

/// All windows, which are notified of changes. Its only id is 0.
pub const WINDOWS: Topic<i64, Event> = Topic::new("social.windows");

/// The only row.
const ROW: i64 = 1;

/// The row as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "social_changes")]
pub struct Model {
    /// Always 1.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: i64,
    /// The number of the latest change.
    pub seq: i64,
}

/// The table has no relations.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Model {
    /// The number of the latest change. Messages read after this call include that change.
    ///
    /// # Errors
    /// A database error.
    pub async fn current(db: &impl ConnectionTrait) -> Result<i64, SocialError> {
        Ok(Entity::find_by_id(ROW).one(db).await?.map_or(0, |row| row.seq))
    }

    /// Locks the row until the end of the transaction, and waits for other writers.
    ///
    /// # Errors
    /// A database error.
    pub(crate) async fn lock(db: &impl ConnectionTrait) -> Result<(), SocialError> {
        Entity::find_by_id(ROW).lock_exclusive().one(db).await?;
        Ok(())
    }

    /// Increments the counter and returns the new number.
    ///
    /// # Errors
    /// A database error.
    pub(crate) async fn next(db: &impl ConnectionTrait) -> Result<i64, SocialError> {
        let raised = Entity::update_many()
            .col_expr(Column::Seq, Expr::col(Column::Seq).add(1))
            .filter(Column::Id.eq(ROW))
            .exec_with_returning(db)
            .await?;
        raised.first().map(|row| row.seq).ok_or_else(|| DbErr::RecordNotUpdated.into())
    }
}
