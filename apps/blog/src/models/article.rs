//! An article: a draft until it is published, with an address for ever from then on.

use bellwire_site::accounts::users;
use bellwire_site::bellwire::{Group, GroupName, Invalid, Layer};
use bellwire_site::markup::Text;
use bellwire_site::{LookupExt as _, Tx};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{ExprTrait, SimpleExpr};
use sea_orm::{ActiveValue::Set, PaginatorTrait, QuerySelect, Unchanged};

use super::search;
use crate::BlogError;
use crate::forms::{ArticleText, Title};

/// What stays as it is in a path.
const PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// Whoever gives out titles and addresses holds this lock, so that none is given out twice.
const NAMES: i64 = i64::from_be_bytes(*b"blogname");

/// The longest summary, in characters.
const SUMMARY: usize = 100;

/// An article as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "blog_articles")]
pub struct Model {
    /// Its id, also in the page.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// Its title; no other article has it.
    #[sea_orm(unique)]
    pub title: String,
    /// Its address.
    #[sea_orm(unique)]
    pub slug: String,
    /// Who wrote it.
    pub author_id: i64,
    /// What it says, in Markdown.
    pub content: String,
    /// What it is about, in about a hundred characters, cut at a word. Made whenever it is saved.
    pub summary: String,
    /// The number of the latest change among its comments.
    pub seq: i64,
    /// How often it was saved.
    pub version: i64,
    /// When it was begun.
    pub created_at: DateTimeUtc,
    /// When it was saved last.
    pub updated_at: DateTimeUtc,
    /// Since when everyone may read it; a draft has none.
    pub published_at: Option<DateTimeUtc>,
    /// When it was published first, be it a draft again. From then on its address and its date
    /// stay.
    pub first_published_at: Option<DateTimeUtc>,
}

/// Whom an article belongs to.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    /// Its author.
    #[sea_orm(belongs_to = "users::Entity", from = "Column::AuthorId", to = "users::Column::Id")]
    Author,
}

impl Related<users::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Author.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}

/// An article with what is shown of its author.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Article {
    /// As it is stored.
    pub row: Model,
    /// The author's name.
    pub author: String,
}

/// What staff typed, and whether everyone may read it.
#[derive(Clone, Debug)]
pub struct Saved {
    /// Its title.
    pub title: Title,
    /// What it says.
    pub content: ArticleText,
    /// Whether it is published.
    pub is_published: bool,
    /// When it is saved.
    pub at: DateTimeUtc,
}

impl Article {
    /// The article with this address.
    ///
    /// # Errors
    /// The database's.
    pub async fn by_slug(db: &impl ConnectionTrait, slug: &str) -> Result<Option<Self>, BlogError> {
        let found = Entity::find().filter(Column::Slug.eq(slug)).find_also_related(users::Entity);
        Ok(found.one(db).await.none_if_unstorable()?.map(with_author))
    }

    /// The article with this id.
    ///
    /// # Errors
    /// The database's.
    pub async fn by_id(db: &impl ConnectionTrait, id: i64) -> Result<Option<Self>, BlogError> {
        let found = Entity::find_by_id(id).find_also_related(users::Entity);
        Ok(found.one(db).await?.map(with_author))
    }

    /// Waits until nobody else gives out titles and addresses.
    pub(crate) async fn lock_names(tx: &Tx) -> Result<(), BlogError> {
        Ok(tx.lock(NAMES).await?)
    }

    /// Writes a new article.
    ///
    /// # Errors
    /// That another one has its title, or the database's.
    pub async fn write(tx: &Tx, author: i64, saved: &Saved) -> Result<Model, BlogError> {
        Self::lock_names(tx).await?;
        title_is_free(tx, &saved.title, None).await?;
        let row = ActiveModel {
            title: Set(saved.title.as_str().to_owned()),
            slug: Set(free_slug(tx, &saved.title, None).await?),
            author_id: Set(author),
            content: Set(saved.content.as_str().to_owned()),
            summary: Set(summary_of(saved.content.as_str())),
            seq: Set(0),
            version: Set(1),
            created_at: Set(saved.at),
            updated_at: Set(saved.at),
            published_at: Set(saved.is_published.then_some(saved.at)),
            first_published_at: Set(saved.is_published.then_some(saved.at)),
            ..Default::default()
        };
        let row = row.insert(tx).await?;
        search::index(tx, row.id, &words_of(&row)).await?;
        Ok(row)
    }

    /// Saves an article anew. A draft's address follows its title; what was published once keeps
    /// its address and its date.
    ///
    /// # Errors
    /// That it is gone, that somebody else saved it since this `version`, that another one has its
    /// title, or the database's.
    pub async fn save(tx: &Tx, id: i64, version: i64, saved: &Saved) -> Result<Model, BlogError> {
        Self::lock_names(tx).await?;
        let before =
            Entity::find_by_id(id).lock_exclusive().one(tx).await?.ok_or(BlogError::NoArticle)?;
        if before.version != version {
            return Err(Invalid::field(
                "version",
                "Somebody else has saved this article meanwhile.",
            )
            .into());
        }
        title_is_free(tx, &saved.title, Some(id)).await?;
        let slug = match before.first_published_at {
            Some(_) => before.slug,
            None => free_slug(tx, &saved.title, Some(id)).await?,
        };
        let first_published_at =
            before.first_published_at.or(saved.is_published.then_some(saved.at));
        let row = ActiveModel {
            id: Unchanged(id),
            title: Set(saved.title.as_str().to_owned()),
            slug: Set(slug),
            content: Set(saved.content.as_str().to_owned()),
            summary: Set(summary_of(saved.content.as_str())),
            version: Set(version + 1),
            updated_at: Set(saved.at),
            published_at: Set(first_published_at.filter(|_| saved.is_published)),
            first_published_at: Set(first_published_at),
            ..Default::default()
        };
        let row = row.update(tx).await?;
        search::index(tx, row.id, &words_of(&row)).await?;
        Ok(row)
    }

    /// The number of the latest change among the comments, as it is now.
    ///
    /// # Errors
    /// The database's, or that the article is gone.
    pub async fn current_seq(db: &impl ConnectionTrait, id: i64) -> Result<i64, BlogError> {
        let seq =
            Entity::find_by_id(id).select_only().column(Column::Seq).into_tuple().one(db).await?;
        seq.ok_or(BlogError::NoArticle)
    }

    /// Takes the next number. From here to the end of the transaction nobody else can: that is what
    /// makes the order total.
    pub(crate) async fn next_seq(db: &impl ConnectionTrait, id: i64) -> Result<i64, BlogError> {
        let raised = Entity::update_many()
            .col_expr(Column::Seq, Expr::col(Column::Seq).add(1))
            .filter(Column::Id.eq(id))
            .exec_with_returning(db)
            .await?;
        raised.first().map(|article| article.seq).ok_or(BlogError::NoArticle)
    }

    /// Waits until no other transaction writes below this article.
    pub(crate) async fn lock(db: &impl ConnectionTrait, id: i64) -> Result<(), BlogError> {
        Entity::find_by_id(id)
            .lock_exclusive()
            .one(db)
            .await?
            .map(|_| ())
            .ok_or(BlogError::NoArticle)
    }

    /// The published article, while nobody else writes below it.
    pub(crate) async fn lock_published(
        db: &impl ConnectionTrait,
        id: i64,
    ) -> Result<Model, BlogError> {
        let found = Entity::find_by_id(id).lock_exclusive().one(db).await?;
        found.filter(|article| article.published_at.is_some()).ok_or(BlogError::NoArticle)
    }

    /// The numbered comments of this article, for those who read it.
    pub fn feed(&self, layer: &Layer) -> Group<()> {
        layer.group(feed_of(self.row.id))
    }

    /// Where it is read.
    pub fn path(&self) -> String {
        path_of(&self.row.slug)
    }

    /// Whether this reader may read it: drafts are for staff.
    pub fn is_for(&self, is_staff: bool) -> bool {
        is_staff || self.row.published_at.is_some()
    }
}

/// The group of those who read the article with this id.
pub(crate) fn feed_of(id: i64) -> GroupName {
    GroupName::of("blog.article", id)
}

/// The path of the article with this slug.
pub(crate) fn path_of(slug: &str) -> String {
    format!("/blog/article/{}/", utf8_percent_encode(slug, PATH))
}

/// What an article is about, in about a hundred characters, cut at a word. Where there are no
/// spaces to cut at, it is cut where it is full.
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

fn words_of(row: &Model) -> String {
    format!("{}\n{}", row.title, Text::article(&row.content).plain(usize::MAX))
}

fn with_author((row, author): (Model, Option<users::Model>)) -> Article {
    Article { row, author: author.map(|author| author.name).unwrap_or_default() }
}

async fn title_is_free(
    db: &impl ConnectionTrait,
    title: &Title,
    of: Option<i64>,
) -> Result<(), BlogError> {
    match another(db, Column::Title.eq(title.as_str()), of).await? {
        true => Err(Invalid::field("title", "There is an article with this title already.").into()),
        false => Ok(()),
    }
}

/// The address of the title, or the first with a number behind it that nobody has.
async fn free_slug(
    db: &impl ConnectionTrait,
    title: &Title,
    of: Option<i64>,
) -> Result<String, BlogError> {
    let mut slug = title.slug().to_owned();
    for number in 2.. {
        if !another(db, Column::Slug.eq(&*slug), of).await? {
            break;
        }
        slug = format!("{}-{number}", title.slug());
    }
    Ok(slug)
}

/// Whether this is said of an article other than that one.
async fn another(
    db: &impl ConnectionTrait,
    is: SimpleExpr,
    of: Option<i64>,
) -> Result<bool, BlogError> {
    let mut found = Entity::find().filter(is);
    if let Some(id) = of {
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
        let long = of(
            "The bread that nobody hurries, with a crust that sings when it cools and a crumb that keeps until Thursday.",
        );
        assert_eq!(
            long,
            "The bread that nobody hurries, with a crust that sings when it cools and a crumb that keeps until…"
        );
        assert_eq!(
            of(&"字".repeat(300)).chars().count(),
            SUMMARY,
            "a script without spaces is cut anywhere"
        );
        assert_eq!(
            of(&format!("Look: {}", "x".repeat(300))).chars().count(),
            SUMMARY,
            "and so is one endless word"
        );
    }

    #[test]
    fn an_address_of_any_script_is_ascii() {
        assert_eq!(
            path_of("повільне"),
            "/blog/article/%D0%BF%D0%BE%D0%B2%D1%96%D0%BB%D1%8C%D0%BD%D0%B5/"
        );
        assert_eq!(path_of("a-b_c.d~e"), "/blog/article/a-b_c.d~e/");
    }
}
