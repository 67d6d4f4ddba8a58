//! The articles table. An article is a draft until it is published, and keeps its address from then
//! on.

use bellwire_site::accounts::users;
use bellwire_site::bellwire::Topic;
use bellwire_site::markup::Text;
use bellwire_site::{FeedEpochs, LookupExt as _, Tx};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{ExprTrait, SimpleExpr};
use sea_orm::{ActiveValue::Set, PaginatorTrait, QuerySelect, Unchanged};

use super::search;
use crate::BlogError;
use crate::forms::{ArticleText, Title};

/// The windows that show an article, and the feed of its comments.
pub const ARTICLE: Topic<i64> = Topic::new("blog.article");

/// The characters that are percent-encoded in a path.
const PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// The lock held while titles and slugs are assigned, so that none is assigned twice.
const NAMES: i64 = i64::from_be_bytes(*b"blogname");

/// The longest summary, in characters.
const SUMMARY: usize = 100;

/// An article as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "blog_articles")]
pub struct Model {
    /// The id, also in the page.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// The title, unique.
    #[sea_orm(unique)]
    pub title: String,
    /// The slug in its address, unique.
    #[sea_orm(unique)]
    pub slug: String,
    /// The id of the author.
    pub author_id: i64,
    /// The text, in Markdown.
    pub content: String,
    /// The summary of at most 100 characters, cut at a word. Computed on each save.
    pub summary: String,
    /// The number of the latest change of its comments.
    pub seq: i64,
    /// The version, incremented on each save.
    pub version: i64,
    /// The time of creation.
    pub created_at: DateTimeUtc,
    /// The time of the last save.
    pub updated_at: DateTimeUtc,
    /// The time of publication; `None` for a draft.
    pub published_at: Option<DateTimeUtc>,
    /// The time of first publication, also if it is a draft again. From then on the address and the
    /// date stay the same.
    pub first_published_at: Option<DateTimeUtc>,
}

/// The relations of an article.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    /// The author.
    #[sea_orm(belongs_to = "users::Entity", from = "Column::AuthorId", to = "users::Column::Id")]
    Author,
}

impl Related<users::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Author.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}

/// An article with the name of its author.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Article {
    /// The stored row.
    pub row: Model,
    /// The author's name.
    pub author: String,
}

/// The submitted fields of an article.
#[derive(Clone, Debug)]
pub struct ArticleInput {
    /// The title.
    pub title: Title,
    /// The text.
    pub content: ArticleText,
    /// Whether everyone may read it.
    pub is_published: bool,
    /// The time of saving.
    pub at: DateTimeUtc,
}

impl Article {
    /// The article with this slug.
    ///
    /// # Errors
    /// A database error.
    pub async fn by_slug(db: &impl ConnectionTrait, slug: &str) -> Result<Option<Self>, BlogError> {
        let found = Entity::find().filter(Column::Slug.eq(slug)).find_also_related(users::Entity);
        Ok(found.one(db).await.none_if_unstorable()?.map(with_author))
    }

    /// The article with this id.
    ///
    /// # Errors
    /// A database error.
    pub async fn by_id(db: &impl ConnectionTrait, id: i64) -> Result<Option<Self>, BlogError> {
        let found = Entity::find_by_id(id).find_also_related(users::Entity);
        Ok(found.one(db).await?.map(with_author))
    }

    /// Takes the lock for assigning titles and slugs, until the end of the transaction.
    pub(crate) async fn lock_names(tx: &Tx) -> Result<(), BlogError> {
        Ok(tx.lock(NAMES).await?)
    }

    /// Inserts an article.
    ///
    /// # Errors
    /// [`BlogError::TitleTaken`], or a database error.
    pub async fn write(tx: &Tx, author: i64, input: &ArticleInput) -> Result<Model, BlogError> {
        Self::lock_names(tx).await?;
        check_title(tx, &input.title, None).await?;
        let row = ActiveModel {
            title: Set(input.title.as_str().to_owned()),
            slug: Set(free_slug(tx, &input.title, None).await?),
            author_id: Set(author),
            content: Set(input.content.as_str().to_owned()),
            summary: Set(summary_of(input.content.as_str())),
            seq: Set(0),
            version: Set(1),
            created_at: Set(input.at),
            updated_at: Set(input.at),
            published_at: Set(input.is_published.then_some(input.at)),
            first_published_at: Set(input.is_published.then_some(input.at)),
            ..Default::default()
        };
        let row = row.insert(tx).await?;
        search::index(tx, row.id, &searchable_text(&row)).await?;
        Ok(row)
    }

    /// Updates an article. The address of a draft follows its title; an article that was published
    /// once keeps its address and its date.
    ///
    /// # Errors
    /// [`BlogError::NoArticle`], [`BlogError::Conflict`] if it was saved after this `version`,
    /// [`BlogError::TitleTaken`], or a database error.
    pub async fn save(
        tx: &Tx,
        id: i64,
        version: i64,
        input: &ArticleInput,
    ) -> Result<Model, BlogError> {
        Self::lock_names(tx).await?;
        let before = Self::lock(tx, id).await?;
        if before.version != version {
            return Err(BlogError::Conflict);
        }
        check_title(tx, &input.title, Some(id)).await?;
        let slug = match before.first_published_at {
            Some(_) => before.slug,
            None => free_slug(tx, &input.title, Some(id)).await?,
        };
        let first_published_at =
            before.first_published_at.or(input.is_published.then_some(input.at));
        let row = ActiveModel {
            id: Unchanged(id),
            title: Set(input.title.as_str().to_owned()),
            slug: Set(slug),
            content: Set(input.content.as_str().to_owned()),
            summary: Set(summary_of(input.content.as_str())),
            version: Set(version + 1),
            updated_at: Set(input.at),
            published_at: Set(first_published_at.filter(|_| input.is_published)),
            first_published_at: Set(first_published_at),
            ..Default::default()
        };
        let row = row.update(tx).await?;
        search::index(tx, row.id, &searchable_text(&row)).await?;
        Ok(row)
    }

    /// The current number of the latest change of the comments.
    ///
    /// # Errors
    /// [`BlogError::NoArticle`], or a database error.
    pub async fn current_seq(db: &impl ConnectionTrait, id: i64) -> Result<i64, BlogError> {
        let seq =
            Entity::find_by_id(id).select_only().column(Column::Seq).into_tuple().one(db).await?;
        seq.ok_or(BlogError::NoArticle)
    }

    /// Increments the number of changes and returns it. The row stays locked until the end of the
    /// transaction, which makes the order total.
    pub(crate) async fn next_seq(tx: &Tx, epochs: &FeedEpochs, id: i64) -> Result<i64, BlogError> {
        let raised = Entity::update_many()
            .col_expr(Column::Seq, Expr::col(Column::Seq).add(1))
            .filter(Column::Id.eq(id))
            .exec_with_returning(tx)
            .await?;
        let seq = raised.first().ok_or(BlogError::NoArticle)?.seq;
        epochs.note(tx, ARTICLE.of(id).name(), seq).await?;
        Ok(seq)
    }

    /// Locks the article until the end of the transaction, and waits for other writers.
    pub(crate) async fn lock(db: &impl ConnectionTrait, id: i64) -> Result<Model, BlogError> {
        Entity::find_by_id(id).lock_exclusive().one(db).await?.ok_or(BlogError::NoArticle)
    }

    /// Locks the article as [`lock`](Self::lock) does, if it is published.
    pub(crate) async fn lock_published(
        db: &impl ConnectionTrait,
        id: i64,
    ) -> Result<(), BlogError> {
        let locked = Self::lock(db, id).await?;
        locked.published_at.map(drop).ok_or(BlogError::NoArticle)
    }

    /// The path of its page.
    pub fn path(&self) -> String {
        path_of(&self.row.slug)
    }

    /// Whether the reader may see it: drafts are visible to staff only.
    pub fn is_for(&self, is_staff: bool) -> bool {
        is_staff || self.row.published_at.is_some()
    }
}

/// The path of the article with this slug.
pub(crate) fn path_of(slug: &str) -> String {
    format!("/blog/article/{}/", utf8_percent_encode(slug, PATH))
}

/// Summarizes an article in at most 100 characters, cut at a word. Text without spaces is cut
/// anywhere.
pub(crate) fn summary_of(content: &str) -> String {
    let text = Text::article(content);
    let (whole, short) = (text.plain(usize::MAX), text.plain(SUMMARY));
    let Some(cut) = short.strip_suffix('…').filter(|_| short != whole) else { return short };
    let is_whole_word =
        whole.strip_prefix(cut).is_none_or(|rest| rest.starts_with(char::is_whitespace));
    match cut.rsplit_once(' ') {
        Some((words, rest)) if !is_whole_word && rest.chars().count() < SUMMARY / 2 => {
            format!("{}…", words.trim_end_matches([',', ';', ':', '–', '—', '-', ' ']))
        }
        _ => short,
    }
}

fn searchable_text(row: &Model) -> String {
    format!("{}\n{}", row.title, Text::article(&row.content).plain(usize::MAX))
}

fn with_author((row, author): (Model, Option<users::Model>)) -> Article {
    Article { row, author: author.map(|author| author.name).unwrap_or_default() }
}

async fn check_title(
    db: &impl ConnectionTrait,
    title: &Title,
    except: Option<i64>,
) -> Result<(), BlogError> {
    match exists(db, Column::Title.eq(title.as_str()), except).await? {
        true => Err(BlogError::TitleTaken),
        false => Ok(()),
    }
}

/// The slug of the title, with the first free number appended if it is taken.
async fn free_slug(
    db: &impl ConnectionTrait,
    title: &Title,
    except: Option<i64>,
) -> Result<String, BlogError> {
    let mut slug = title.slug().to_owned();
    for number in 2.. {
        if !exists(db, Column::Slug.eq(&*slug), except).await? {
            break;
        }
        slug = format!("{}-{number}", title.slug());
    }
    Ok(slug)
}

/// Whether an article matches the condition, other than `except`.
async fn exists(
    db: &impl ConnectionTrait,
    condition: SimpleExpr,
    except: Option<i64>,
) -> Result<bool, BlogError> {
    let mut found = Entity::find().filter(condition);
    if let Some(id) = except {
        found = found.filter(Column::Id.ne(id));
    }
    Ok(found.count(db).await? > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_is_cut_at_a_word_and_has_no_markup() {
        let of = summary_of;
        assert_eq!(of("Short **and** sweet."), "Short and sweet.");
        assert_eq!(of(&"x".repeat(100)), "x".repeat(100));
        let words = "word ".repeat(40);
        assert_eq!(of(&words), format!("{}word…", "word ".repeat(19)));
        let long = of("The bread that nobody hurries, with a crust that sings when it cools \
                       and a crumb that keeps until Thursday.");
        assert_eq!(
            long,
            "The bread that nobody hurries, with a crust that sings when it cools \
             and a crumb that keeps until…"
        );
        assert_eq!(
            of(&"字".repeat(300)).chars().count(),
            SUMMARY,
            "a script without spaces is cut anywhere"
        );
        assert_eq!(
            of(&format!("Look: {}", "x".repeat(300))).chars().count(),
            SUMMARY,
            "and so is one very long word"
        );
    }

    #[test]
    fn the_path_of_any_script_is_ascii() {
        assert_eq!(
            path_of("повільне"),
            "/blog/article/%D0%BF%D0%BE%D0%B2%D1%96%D0%BB%D1%8C%D0%BD%D0%B5/"
        );
        assert_eq!(path_of("a-b_c.d~e"), "/blog/article/a-b_c.d~e/");
    }
}
