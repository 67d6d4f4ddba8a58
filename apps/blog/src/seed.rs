//! Articles and comments of people who exist nowhere.
//!
//! They stand in `seed/articles.txt`: a line `=== Title`, a line `by Name`, the text, and a line
//! `--- Name: text` for each comment. A name that none of the people has is a stranger's.

use std::time::Duration;

use bellwire_site::bellwire::IdempotencyKey;
use bellwire_site::seed::Progress;
use bellwire_site::{AppError, DbError, Person, SiteError, SiteState, Tx};
use chrono::{DateTime, TimeDelta, Utc};
use sha2::{Digest, Sha256};

use crate::BlogError;
use crate::forms::{ArticleText, AuthorName, CommentText, Title};
use crate::models::article::{Article, Saved};
use crate::models::comment::{Comment, NewComment, Written};

const ARTICLES: &str = include_str!("seed/articles.txt");

/// Between one article and the one before it.
const APART: TimeDelta = TimeDelta::hours(61);

/// How often a batch is tried while others write, and the wait before the next try.
const TRIES: u32 = 10;
const WAIT: Duration = Duration::from_millis(300);

/// An article with its comments.
#[derive(Debug, Clone)]
struct Story {
    title: Title,
    content: ArticleText,
    author: String,
    comments: Vec<(AuthorName, CommentText)>,
    at: DateTime<Utc>,
}

/// What was written.
#[derive(Debug, Clone, Copy, Default)]
struct Count {
    articles: usize,
    comments: usize,
}

/// Adds what is missing of the articles and of what is said below them.
pub(crate) async fn fill(
    site: &SiteState,
    people: &[Person],
    progress: &mut Progress,
) -> Result<(), SiteError> {
    let stories = read(ARTICLES, site.clock().date())?;
    let (mut count, all) = (Count::default(), stories.len() as u64);
    // The oldest first, so that ids and dates have one order.
    for (number, story) in stories.iter().rev().enumerate() {
        let written = patiently(|| {
            let (story, people) = (story.clone(), people.to_vec());
            site.db().write(async move |tx: Tx| write(&tx, &story, &people).await)
        });
        let written = written.await?;
        count.articles += written.articles;
        count.comments += written.comments;
        progress.at("blog", number as u64 + 1, all);
    }
    let Count { articles, comments } = count;
    progress.done(format_args!("blog: {articles} new articles, {comments} new comments"));
    Ok(())
}

/// One article and its comments, both or neither. What is there is left as it is, and what was
/// removed stays away.
async fn write(tx: &Tx, story: &Story, people: &[Person]) -> Result<Count, BlogError> {
    let id_of =
        |name: &str| people.iter().find(|person| person.name == name).map(|person| person.id);
    let mut count = Count::default();
    // First the lock, then the look: two who fill the site at once write each article once.
    Article::lock_names(tx).await?;
    let (id, since) = match Article::by_slug(tx, story.title.slug()).await? {
        // Somebody else's of the same address, or a draft by now: nothing is said below it.
        Some(there) if Some(there.row.author_id) != id_of(&story.author) => return Ok(count),
        Some(there) if there.row.published_at.is_none() => return Ok(count),
        Some(there) => (there.row.id, there.row.created_at),
        None => {
            let Some(author) = id_of(&story.author) else { return Ok(count) };
            let Story { title, content, at, .. } = story.clone();
            let row = Article::write(tx, author, &Saved { title, content, is_published: true, at })
                .await?;
            count.articles = 1;
            (row.id, story.at)
        }
    };
    for (number, (author, content)) in (1..).zip(&story.comments) {
        let new = NewComment {
            article_id: id,
            author_id: id_of(author.as_str()),
            client_id: IdempotencyKey::parse(Some(&client_id(author, content)))?,
            author: author.clone(),
            content: content.clone(),
            at: since + TimeDelta::minutes(97 * number),
        };
        count.comments += usize::from(matches!(Comment::write(tx, new).await?, Written::New(_)));
    }
    Ok(count)
}

/// By which a comment is known again.
fn client_id(author: &AuthorName, content: &CommentText) -> String {
    let digest = Sha256::digest(format!("{}\n{}", author.as_str(), content.as_str()).as_bytes());
    let hex: String = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    format!("seed-{hex}")
}

/// The stories, the newest first, as they stand in the text.
fn read(text: &str, now: DateTime<Utc>) -> Result<Vec<Story>, BlogError> {
    let stories = text.split("=== ").skip(1);
    let stories = (1..).zip(stories).map(|(number, story)| one(story, now - APART * number));
    stories.collect()
}

fn one(story: &str, at: DateTime<Utc>) -> Result<Story, BlogError> {
    let (title, rest) = story.split_once('\n').unwrap_or((story, ""));
    let (author, rest) = rest.split_once('\n').unwrap_or((rest, ""));
    let (content, comments): (Vec<_>, Vec<_>) =
        rest.lines().partition(|line| !line.starts_with("--- "));
    let comment = |line: &&str| {
        let (author, content) =
            line.trim_start_matches("--- ").split_once(": ").unwrap_or((line, ""));
        Ok((AuthorName::parse(author)?, CommentText::parse(content)?))
    };
    Ok(Story {
        title: Title::parse(title)?,
        content: ArticleText::parse(&content.join("\n"))?,
        author: author.trim_start_matches("by ").to_owned(),
        comments: comments.iter().map(comment).collect::<Result<_, BlogError>>()?,
        at,
    })
}

/// Tries again for a while where the database has too much to do: a running site writes, too.
async fn patiently<T, W>(mut write: impl FnMut() -> W) -> Result<T, BlogError>
where
    W: Future<Output = Result<T, BlogError>>,
{
    for _ in 1..TRIES {
        match write().await {
            Err(BlogError::AppError(AppError::Db(DbError::Busy))) => tokio::time::sleep(WAIT).await,
            done => return done,
        }
    }
    write().await
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use bellwire_site::seed::PEOPLE;

    use super::*;

    #[test]
    fn there_are_thirty_articles_with_a_hundred_and_fifty_comments_unevenly_spread() {
        let now = "2026-11-21T12:00:00Z".parse().unwrap();
        let stories = read(ARTICLES, now).unwrap();
        assert_eq!(stories.len(), 30);
        let counts: Vec<_> = stories.iter().map(|story| story.comments.len()).collect();
        assert_eq!(counts.iter().sum::<usize>(), 150, "{counts:?}");
        assert!(counts.contains(&0) && counts.iter().any(|count| *count > 20), "{counts:?}");
        assert_eq!(
            stories.iter().map(|story| story.title.slug()).collect::<HashSet<_>>().len(),
            30
        );
        for story in &stories {
            assert!(PEOPLE.iter().any(|(name, _)| *name == story.author), "{}", story.author);
            let said = i32::try_from(story.comments.len()).unwrap();
            assert!(
                story.at + TimeDelta::minutes(97) * said < now,
                "{}: in the future",
                story.title.as_str()
            );
            let ids: HashSet<_> =
                story.comments.iter().map(|(author, text)| client_id(author, text)).collect();
            assert_eq!(ids.len(), story.comments.len(), "{}", story.title.as_str());
        }
    }
}
