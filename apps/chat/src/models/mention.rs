//! Mentions of users in messages.

use bellwire_site::accounts::users;
use sea_orm::Set;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::OnConflict;

use crate::ChatError;
use crate::markup::Mention;

/// A mention of a user in a message.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "chat_mentions")]
pub struct Model {
    /// The id of the mentioned user.
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: i64,
    /// The id of the room.
    #[sea_orm(primary_key, auto_increment = false)]
    pub room_id: i64,
    /// The sequence number of the message.
    #[sea_orm(primary_key, auto_increment = false)]
    pub seq: i64,
}

/// The relations of a mention: none is queried.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Returns the active users with these names, which are folded like names are for comparison.
pub(crate) async fn people(
    db: &impl ConnectionTrait,
    keys: Vec<String>,
) -> Result<Vec<Mention>, ChatError> {
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let people = users::Entity::find()
        .filter(users::Column::NameKey.is_in(keys))
        .filter(users::Column::IsActive.eq(true));
    Ok(people
        .all(db)
        .await?
        .into_iter()
        .map(|user| Mention { user_id: user.id, name: user.name })
        .collect())
}

/// Replaces the stored mentions of the message with this sequence number.
pub(crate) async fn replace(
    db: &impl ConnectionTrait,
    room: i64,
    seq: i64,
    mentions: &[Mention],
) -> Result<(), ChatError> {
    Entity::delete_many()
        .filter(Column::RoomId.eq(room))
        .filter(Column::Seq.eq(seq))
        .exec(db)
        .await?;
    let rows = mentions.iter().map(|mention| ActiveModel {
        user_id: Set(mention.user_id),
        room_id: Set(room),
        seq: Set(seq),
    });
    if !mentions.is_empty() {
        let repeated = OnConflict::columns([Column::UserId, Column::RoomId, Column::Seq])
            .do_nothing()
            .to_owned();
        Entity::insert_many(rows).on_conflict(repeated).exec_without_returning(db).await?;
    }
    Ok(())
}
