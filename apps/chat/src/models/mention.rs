//! Who is named in messages.

use bellwire_site::accounts::users;
use sea_orm::Set;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::OnConflict;

use crate::ChatError;
use crate::markup::Mention;

/// A place where somebody is named.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "chat_mentions")]
pub struct Model {
    /// Who.
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: i64,
    /// Where.
    #[sea_orm(primary_key, auto_increment = false)]
    pub room_id: i64,
    /// The place of the message.
    #[sea_orm(primary_key, auto_increment = false)]
    pub seq: i64,
}

/// The tables it points at: none that is queried.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// The people among these names, folded as names are compared.
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

/// Notes who is named in the message at this place, and who is not any more.
pub(crate) async fn note(
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
        let twice = OnConflict::columns([Column::UserId, Column::RoomId, Column::Seq])
            .do_nothing()
            .to_owned();
        Entity::insert_many(rows).on_conflict(twice).exec_without_returning(db).await?;
    }
    Ok(())
}
