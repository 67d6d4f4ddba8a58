//! A room, and the number of its latest change.

use bellwire::{Group, GroupName, Layer};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{ExprTrait, OnConflict};
use sea_orm::{ActiveValue::Set, QueryOrder, QuerySelect};

use crate::ChatError;
use crate::forms::RoomName;

/// What stands for itself in a path; everything else is percent-encoded.
const PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// The most rooms that are listed.
const LISTED: u64 = 500;

/// A room.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "chat_rooms")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// Its name, as shown.
    pub name: String,
    /// Its name, as an address; unique.
    #[sea_orm(unique)]
    pub slug: String,
    /// The number of its latest change; 0 when nothing happened yet.
    pub seq: i64,
    /// Who made it.
    pub created_by: Option<i64>,
    /// When.
    pub created_at: DateTimeUtc,
}

/// A room.
pub type Room = Model;

/// What rooms belong to: nothing that is queried yet.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Room {
    /// The newest rooms, by name.
    ///
    /// # Errors
    /// The database's.
    pub async fn all(db: &impl ConnectionTrait) -> Result<Vec<Self>, ChatError> {
        let mut rooms = Entity::find().order_by_desc(Column::Id).limit(LISTED).all(db).await?;
        rooms.sort_by(|a, b| a.slug.cmp(&b.slug));
        Ok(rooms)
    }

    /// The room with this address.
    ///
    /// # Errors
    /// The database's.
    pub async fn by_slug(db: &impl ConnectionTrait, slug: &str) -> Result<Option<Self>, ChatError> {
        Ok(Entity::find().filter(Column::Slug.eq(slug)).one(db).await?)
    }

    /// Makes the room unless it is there, and returns it.
    ///
    /// # Errors
    /// The database's.
    pub async fn open(db: &impl ConnectionTrait, name: &RoomName, by: i64) -> Result<Self, ChatError> {
        let room = ActiveModel {
            name: Set(name.name().to_owned()),
            slug: Set(name.slug().to_owned()),
            seq: Set(0),
            created_by: Set(Some(by)),
            created_at: Set(chrono::Utc::now()),
            ..Default::default()
        };
        let there = OnConflict::column(Column::Slug).do_nothing().to_owned();
        Entity::insert(room).on_conflict(there).exec_without_returning(db).await?;
        Self::by_slug(db, name.slug()).await?.ok_or(ChatError::NoRoom)
    }

    /// The number of the room's latest change, as it is now.
    ///
    /// # Errors
    /// The database's, or that the room is gone.
    pub async fn current_seq(db: &impl ConnectionTrait, room: i64) -> Result<i64, ChatError> {
        let seq = Entity::find_by_id(room).select_only().column(Column::Seq).into_tuple().one(db).await?;
        seq.ok_or(ChatError::NoRoom)
    }

    /// Takes the room's next number. From here to the end of the transaction nobody else can: that is what makes the order total.
    ///
    /// # Errors
    /// The database's, or that the room is gone.
    pub(crate) async fn next_seq(db: &impl ConnectionTrait, room: i64) -> Result<i64, ChatError> {
        let raised = Entity::update_many()
            .col_expr(Column::Seq, Expr::col(Column::Seq).add(1))
            .filter(Column::Id.eq(room))
            .exec_with_returning(db)
            .await?;
        raised.first().map(|room| room.seq).ok_or(ChatError::NoRoom)
    }

    /// Waits until no other transaction writes into this room.
    ///
    /// # Errors
    /// The database's, or that the room is gone.
    pub(crate) async fn lock(db: &impl ConnectionTrait, room: i64) -> Result<(), ChatError> {
        Entity::find_by_id(room).lock_exclusive().one(db).await?.map(|_| ()).ok_or(ChatError::NoRoom)
    }

    /// The numbered changes of this room.
    pub fn feed(&self, layer: &Layer) -> Group<()> {
        layer.group(GroupName::of("chat.room", self.id))
    }

    /// Where the room is read and, with `/ws` before it, where its socket is.
    pub fn path(&self) -> String {
        path_of(&self.slug)
    }
}

/// The path of the room with this slug.
pub(crate) fn path_of(slug: &str) -> String {
    format!("/chat/{}/", utf8_percent_encode(slug, PATH))
}
