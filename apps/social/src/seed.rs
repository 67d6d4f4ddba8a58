//! Sample messages of about three weeks, for `bellwire seed`.

use bellwire_site::bellwire::IdempotencyKey;
use bellwire_site::seed::Progress;
use bellwire_site::{Person, SiteError, SiteState, Tx};
use chrono::{DateTime, TimeDelta, Utc};

use crate::SocialError;
use crate::forms::{Author, MessageText};
use crate::models::{Changes, Message, NewMessage};

/// The prefix of the idempotency keys of seeded messages.
const KEY_PREFIX: &str = "seed-";

/// The ages of the first and of the last message, in hours.
const FIRST: i64 = 20 * 24;
const LAST: i64 = 1;

/// The messages in order, one `name: text` per line. The name is one of the seeded people, or that
/// of an anonymous author. Append lines only: a message is identified by its line number.
const LINES: &str = include_str!("seed/messages.txt");

struct Line {
    author_id: Option<i64>,
    author: String,
    text: &'static str,
    client_id: String,
    at: DateTime<Utc>,
}

/// Inserts the messages that are missing.
pub(crate) async fn fill(
    site: &SiteState,
    people: &[Person],
    progress: &mut Progress,
) -> Result<(), SiteError> {
    let now = site.clock().date();
    let existing = Message::client_ids(site.db().read(), KEY_PREFIX).await?;
    let mut lines = lines(people, now);
    lines.retain(|line| !existing.contains(&line.client_id));
    let newest = Message::newest(site.db().read(), 0, 1).await?.pop();
    if let Some(newest) = newest {
        move_after(&mut lines, newest.created_at, now);
    }
    let count = lines.len();
    if count > 0 {
        site.db().write(async move |tx: Tx| insert(&tx, lines).await).await?;
    }
    progress.done(format_args!("social network: {count} new messages"));
    Ok(())
}

fn lines(people: &[Person], now: DateTime<Utc>) -> Vec<Line> {
    let texts: Vec<_> = LINES.lines().filter_map(|line| line.split_once(": ")).collect();
    let step =
        TimeDelta::hours(FIRST - LAST) / i32::try_from(texts.len()).unwrap_or(i32::MAX).max(1);
    let line = |((author, text), number): ((&str, &'static str), i32)| Line {
        author_id: people.iter().find(|person| person.name == author).map(|person| person.id),
        author: author.to_owned(),
        text,
        client_id: format!("{KEY_PREFIX}{number}"),
        at: now
            - TimeDelta::hours(LAST)
            - step * (i32::try_from(LINES.lines().count()).unwrap_or(0) - number),
    };
    texts.into_iter().zip(1..).map(line).collect()
}

/// Moves lines that would be older than the newest stored message after it, so that ids and times
/// stay in the same order.
fn move_after(lines: &mut [Line], after: DateTime<Utc>, now: DateTime<Utc>) {
    if lines.first().is_none_or(|first| first.at > after) {
        return;
    }
    let step =
        (now - after).max(TimeDelta::zero()) / i32::try_from(lines.len()).unwrap_or(i32::MAX);
    for (line, number) in lines.iter_mut().zip(1..) {
        line.at = after + step * number;
    }
}

async fn insert(tx: &Tx, lines: Vec<Line>) -> Result<(), SocialError> {
    Changes::lock(tx).await?;
    for line in lines {
        let client_id = IdempotencyKey::parse(Some(&line.client_id))?;
        // A concurrent run may have inserted the message in the meantime.
        if let Some(id) = &client_id
            && Message::sent_as(tx, id).await?.is_some()
        {
            continue;
        }
        let (author, text) = (Author::parse(&line.author)?, MessageText::parse(line.text)?);
        Message::write(
            tx,
            NewMessage { author_id: line.author_id, author, text, client_id, at: line.at },
        )
        .await?;
    }
    Changes::next(tx).await?;
    Ok(())
}
