//! A few weeks of a small network, for `bellwire seed`.

use bellwire_site::bellwire::IdempotencyKey;
use bellwire_site::seed::Progress;
use bellwire_site::{Person, SiteError, SiteState, Tx};
use chrono::{DateTime, TimeDelta, Utc};

use crate::SocialError;
use crate::forms::{Author, MessageText};
use crate::models::{Changes, Message, NewMessage};

/// What the senders' ids of these messages begin with.
const MARK: &str = "seed-";

/// How long ago the first was written, in hours, and the last.
const FIRST: i64 = 20 * 24;
const LAST: i64 = 1;

/// Who says what, in its order: a name of the people who are made, or of somebody who is not signed
/// in. It only grows at its end, because each is known again by its place.
const LINES: &str = include_str!("seed/messages.txt");

struct Line {
    author_id: Option<i64>,
    author: String,
    text: &'static str,
    client_id: String,
    at: DateTime<Utc>,
}

/// Writes what is not there yet.
pub(crate) async fn fill(
    site: &SiteState,
    people: &[Person],
    progress: &mut Progress,
) -> Result<(), SiteError> {
    let now = site.clock().date();
    let there = Message::client_ids(site.db().read(), MARK).await?;
    let mut lines = lines(people, now);
    lines.retain(|line| !there.contains(&line.client_id));
    let newest = Message::newest(site.db().read(), 0, 1).await?.pop();
    if let Some(newest) = newest {
        fit(&mut lines, newest.created_at, now);
    }
    let count = lines.len();
    if count > 0 {
        site.db().write(async move |tx: Tx| write(&tx, lines).await).await?;
    }
    progress.done(format_args!("social network: {count} new messages"));
    Ok(())
}

fn lines(people: &[Person], now: DateTime<Utc>) -> Vec<Line> {
    let said: Vec<_> = LINES.lines().filter_map(|line| line.split_once(": ")).collect();
    let step =
        TimeDelta::hours(FIRST - LAST) / i32::try_from(said.len()).unwrap_or(i32::MAX).max(1);
    let line = |((author, text), place): ((&str, &'static str), i32)| Line {
        author_id: people.iter().find(|person| person.name == author).map(|person| person.id),
        author: author.to_owned(),
        text,
        client_id: format!("{MARK}{place}"),
        at: now
            - TimeDelta::hours(LAST)
            - step * (i32::try_from(LINES.lines().count()).unwrap_or(0) - place),
    };
    said.into_iter().zip(1..).map(line).collect()
}

/// What comes after something that was written meanwhile is moved behind it: the newest has the
/// latest time.
fn fit(lines: &mut [Line], after: DateTime<Utc>, now: DateTime<Utc>) {
    if lines.first().is_none_or(|first| first.at > after) {
        return;
    }
    let step =
        (now - after).max(TimeDelta::zero()) / i32::try_from(lines.len()).unwrap_or(i32::MAX);
    for (line, place) in lines.iter_mut().zip(1..) {
        line.at = after + step * place;
    }
}

async fn write(tx: &Tx, lines: Vec<Line>) -> Result<(), SocialError> {
    Changes::lock(tx).await?;
    for line in lines {
        let client_id = IdempotencyKey::parse(Some(&line.client_id))?;
        // Another run may have been here since.
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
