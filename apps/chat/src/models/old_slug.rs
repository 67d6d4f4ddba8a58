//! Former slugs of renamed rooms, which still lead to the rooms.

use sea_orm::Set;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::OnConflict;

use crate::ChatError;

/// A former slug of a room.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "chat_old_slugs")]
pub struct Model {
    /// The slug.
    #[sea_orm(primary_key, auto_increment = false)]
    pub slug: String,
    /// The id of the room that had it last.
    pub room_id: i64,
}

/// The relations of a former slug: none is queried.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

pub(super) async fn remember(
    db: &impl ConnectionTrait,
    slug: &str,
    room: i64,
) -> Result<(), ChatError> {
    let row = ActiveModel { slug: Set(slug.to_owned()), room_id: Set(room) };
    let again = OnConflict::column(Column::Slug).update_column(Column::RoomId).to_owned();
    Entity::insert(row).on_conflict(again).exec_without_returning(db).await?;
    Ok(())
}

pub(super) async fn forget(db: &impl ConnectionTrait, slug: &str) -> Result<(), ChatError> {
    Entity::delete_by_id(slug.to_owned()).exec(db).await?;
    Ok(())
}
