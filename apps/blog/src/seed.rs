//! Sample articles and comments by fictional people.
//!
//! The format of `seed/articles.txt`: a line `=== Title`, a line `by Name`, the text, and a line
//! `--- Name: text` for each comment. A name that is none of the seeded people is an anonymous
//! visitor's.

use std::time::Duration;

use bellwire_site::bellwire::IdempotencyKey;
use bellwire_site::seed::Progress;
use bellwire_site::{FeedEpochs, Person, SiteError, SiteState, Tx};
use chrono::{DateTime, TimeDelta, Utc};
use sha2::{Digest, Sha256};

use crate::BlogError;
use crate::forms::{ArticleText, AuthorName, CommentText, Title};
use crate::models::article::{Article, ArticleInput};
use crate::models::comment::{Comment, NewComment};

const ARTICLES: &str = include_str!("seed/articles.txt");

/// The time between two articles.
const INTERVAL: TimeDelta = TimeDelta::hours(61);

/// The most attempts for a transaction while the database is busy, and the wait between attempts.
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

/// The numbers of rows inserted.
#[derive(Debug, Clone, Copy, Default)]
struct Count {
    articles: usize,
    comments: usize,
}

/// Inserts the missing articles and comments.
pub(crate) async fn fill(
    site: &SiteState,
    people: &[Person],
    progress: &mut Progress,
) -> Result<(), SiteError> {
    let stories = parse(ARTICLES, site.clock().date())?;
    let (mut count, all) = (Count::default(), stories.len() as u64);
    // Oldest first, so that ids and dates are in the same order.
    for (number, story) in stories.iter().rev().enumerate() {
        let written = with_retries(|| {
            let (story, people, epochs) = (story.clone(), people.to_vec(), site.epochs().clone());
            site.db().write(async move |tx: Tx| write(&tx, &epochs, &story, &people).await)
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

/// Inserts an article and its comments in one transaction. Existing rows stay as they are, and
/// removed comments stay removed.
async fn write(
    tx: &Tx,
    epochs: &FeedEpochs,
    story: &Story,
    people: &[Person],
) -> Result<Count, BlogError> {
    let id_of =
        |name: &str| people.iter().find(|person| person.name == name).map(|person| person.id);
    let mut count = Count::default();
    // Lock before the lookup: two concurrent runs insert each article once.
    Article::lock_names(tx).await?;
    let (id, since) = match Article::by_slug(tx, story.title.slug()).await? {
        // An article of another author with the same slug, or one that is a draft by now: no
        // comments are added.
        Some(existing) if Some(existing.row.author_id) != id_of(&story.author) => return Ok(count),
        Some(existing) if existing.row.published_at.is_none() => return Ok(count),
        Some(existing) => (existing.row.id, existing.row.created_at),
        None => {
            let Some(author) = id_of(&story.author) else { return Ok(count) };
            let Story { title, content, at, .. } = story.clone();
            let input = ArticleInput { title, content, is_published: true, at };
            let row = Article::write(tx, author, &input).await?;
            count.articles = 1;
            (row.id, story.at)
        }
    };
    Article::lock_published(tx, id).await?;
    for (number, (author, content)) in (1..).zip(&story.comments) {
        let client_id = IdempotencyKey::parse(Some(&client_id(author, content)))?;
        if Comment::sent_before(tx, id, client_id.as_ref()).await?.is_some() {
            continue;
        }
        let new = NewComment {
            article_id: id,
            author_id: id_of(author.as_str()),
            client_id,
            author: author.clone(),
            content: content.clone(),
            at: since + TimeDelta::minutes(97 * number),
        };
        Comment::write(tx, epochs, new).await?;
        count.comments += 1;
    }
    Ok(count)
}

/// The idempotency key of a comment, derived from its content.
fn client_id(author: &AuthorName, content: &CommentText) -> String {
    let digest = Sha256::digest(format!("{}\n{}", author.as_str(), content.as_str()).as_bytes());
    let hex: String = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    format!("seed-{hex}")
}

/// Parses the articles, in the order of the file: newest first.
fn parse(text: &str, now: DateTime<Utc>) -> Result<Vec<Story>, BlogError> {
    let stories = text.split("=== ").skip(1);
    let stories =
        (1..).zip(stories).map(|(number, story)| parse_story(story, now - INTERVAL * number));
    stories.collect()
}

fn parse_story(story: &str, at: DateTime<Utc>) -> Result<Story, BlogError> {
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

/// Retries while the database is busy: a running site may write at the same time.
async fn with_retries<T, W>(mut write: impl FnMut() -> W) -> Result<T, BlogError>
where
    W: Future<Output = Result<T, BlogError>>,
{
    for _ in 1..TRIES {
        match write().await {
            Err(BlogError::Other(SiteError::Busy)) => tokio::time::sleep(WAIT).await,
            result => return result,
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
        let stories = parse(ARTICLES, now).unwrap();
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
            let comments = i32::try_from(story.comments.len()).unwrap();
            assert!(
                story.at + TimeDelta::minutes(97) * comments < now,
                "{}: in the future",
                story.title.as_str()
            );
            let ids: HashSet<_> =
                story.comments.iter().map(|(author, text)| client_id(author, text)).collect();
            assert_eq!(ids.len(), story.comments.len(), "{}", story.title.as_str());
        }
    }
}
