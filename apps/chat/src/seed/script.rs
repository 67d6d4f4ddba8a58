//! Reading a script: who says what, and when.

use bellwire_site::Person;
use chrono::{DateTime, NaiveTime, TimeDelta, Utc};

use super::MARK;

/// A message that is to be said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) author: Person,
    pub(super) text: String,
    pub(super) edited: Option<String>,
    pub(super) at: DateTime<Utc>,
    /// How many times its author has said the same before.
    again: usize,
}

impl Line {
    /// The sender's own id: the same whenever and wherever the script is read, and whatever stands
    /// around it.
    pub(super) fn client_id(&self) -> String {
        let Self { author, text, again, .. } = self;
        let who = author.email.as_deref().unwrap_or_default();
        format!("{MARK}{:016x}", number(&format!("{who} {again} {text}")))
    }
}

/// Everything that is said, the oldest first, and nothing of it later than `now`.
pub(super) fn read(script: &str, people: &[Person], now: DateTime<Utc>) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    let mut at = None;
    for written in script.lines() {
        if let Some(begins) = scene(written, now) {
            at = Some(begins);
        } else if let (Some(begins), Some((author, text))) = (at, said(written, people)) {
            lines.push(Line { author, text, edited: None, at: begins, again: 0 });
            at = Some(begins + pause(written));
        } else if let Some(line) = lines.last_mut() {
            match written.strip_prefix("~ ") {
                Some(edited) => line.edited = Some(edited.to_owned()),
                None => line.text = format!("{}\n{written}", line.text),
            }
        }
    }
    settle(&mut lines, now);
    lines
}

/// Nothing trails, and time goes on.
fn settle(lines: &mut [Line], now: DateTime<Utc>) {
    let mut latest = DateTime::<Utc>::MIN_UTC;
    for place in 0..lines.len() {
        let (before, rest) = lines.split_at_mut(place);
        let Some(line) = rest.first_mut() else { return };
        line.text.truncate(line.text.trim_end().len());
        line.again = before
            .iter()
            .filter(|other| other.author.id == line.author.id && other.text == line.text)
            .count();
        latest = line.at.max(latest).min(now);
        line.at = latest;
    }
}

/// Those who say something, by who is first.
pub(super) fn speakers(lines: &[Line]) -> Vec<i64> {
    let mut speakers = Vec::new();
    for line in lines {
        if !speakers.contains(&line.author.id) {
            speakers.push(line.author.id);
        }
    }
    speakers
}

/// `Name: text`, where the name is a part of somebody's.
fn said(written: &str, people: &[Person]) -> Option<(Person, String)> {
    let (name, text) = written.split_once(": ")?;
    let author = people.iter().find(|person| is_called(person, name))?;
    Some((author.clone(), text.to_owned()))
}

/// By the first of one's names, or by what of it friends use.
fn is_called(person: &Person, name: &str) -> bool {
    let first = person.name.split(' ').next().unwrap_or_default();
    !name.is_empty() && (first == name || (first.ends_with(name) && !name.is_ascii()))
}

/// `[3 days ago 16:50]` or `[12 minutes ago]`.
fn scene(written: &str, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let words: Vec<_> = written.strip_prefix('[')?.strip_suffix(']')?.split(' ').collect();
    match *words {
        [days, "day" | "days", "ago", time] => {
            let day = now.date_naive() - TimeDelta::days(days.parse().ok()?);
            Some(day.and_time(NaiveTime::parse_from_str(time, "%H:%M").ok()?).and_utc())
        }
        [minutes, "minutes", "ago"] => Some(now - TimeDelta::minutes(minutes.parse().ok()?)),
        _ => None,
    }
}

/// From one message to the next: what it takes to read this one and to type, and sometimes a cup of
/// tea.
fn pause(written: &str) -> TimeDelta {
    let (number, length) = (number(written), written.chars().count().min(240));
    let tea = if number.is_multiple_of(9) { 240 } else { 0 };
    TimeDelta::seconds(
        15 + i64::try_from(number % 70 + length as u64 / 2 + tea).unwrap_or_default(),
    )
}

/// A number that a text always has (FNV-1a): what chance would be, if the same were to come of it
/// each time.
pub(super) fn number(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |number, byte| {
        (number ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use bellwire_site::seed::PEOPLE;

    use super::*;
    use bellwire_site::bellwire::IdempotencyKey;

    use crate::forms::MessageText;
    use crate::models::room::Kind;
    use crate::seed::PLACES;

    fn people() -> Vec<Person> {
        let person = |((name, email), id): (&(&str, &str), i64)| {
            let (name, email) = ((*name).to_owned(), Some((*email).to_owned()));
            Person { id, name, email, is_admin: false, is_staff: false, is_active: true }
        };
        PEOPLE.iter().zip(1..).map(person).collect()
    }

    fn date(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn a_script_is_read_line_by_line() {
        let script = "# A comment.\n\n[2 days ago 08:30]\nAmara: See:\n\n```\nJonas = 1\n```\n雨桐: Helo\n~ Hello\n\n[9 minutes ago]\nAmara: See:\n";
        let now = date("2026-03-05T12:00:00Z");
        let lines = read(script, &people(), now);
        let said: Vec<_> = lines
            .iter()
            .map(|line| (&*line.author.name, &*line.text, line.edited.as_deref()))
            .collect();
        assert_eq!(
            said,
            [
                ("Amara Okafor", "See:\n\n```\nJonas = 1\n```", None),
                ("林雨桐", "Helo", Some("Hello")),
                ("Amara Okafor", "See:", None)
            ]
        );
        assert_eq!(lines[0].at, date("2026-03-03T08:30:00Z"));
        assert!(lines[1].at > lines[0].at && lines[1].at < date("2026-03-03T08:40:00Z"));
        assert_eq!(lines[2].at, date("2026-03-05T11:51:00Z"));
    }

    #[test]
    fn at_any_hour_time_goes_on_and_nothing_is_said_in_the_future() {
        for now in
            ["2026-03-05T00:00:30Z", "2026-03-05T12:00:00Z", "2026-03-29T23:59:59Z"].map(date)
        {
            for place in &PLACES {
                let lines = read(place.script, &people(), now);
                assert!(lines.is_sorted_by_key(|line| line.at), "{}", place.name);
                assert!(
                    lines.iter().all(|line| line.at <= now && line.at > now - TimeDelta::days(22))
                );
                assert!(now - lines.last().unwrap().at < TimeDelta::hours(2), "{}", place.name);
            }
        }
    }

    #[test]
    fn everyone_in_the_scripts_is_one_of_the_people_and_every_line_is_a_message() {
        let people = people();
        for place in &PLACES {
            let lines = read(place.script, &people, Utc::now());
            for line in &lines {
                for text in [Some(&line.text), line.edited.as_ref()].into_iter().flatten() {
                    assert_eq!(MessageText::parse(text).unwrap().as_str(), text);
                    // What looks like a name and a text, and became neither.
                    let prose =
                        text.split("```").step_by(2).flat_map(|prose| prose.lines().skip(1));
                    let unread = |line: &&str| {
                        line.starts_with('[')
                            || line.split_once(": ").is_some_and(|(name, _)| !name.contains(' '))
                    };
                    assert_eq!(prose.filter(unread).collect::<Vec<_>>(), [""; 0], "{}", place.name);
                }
            }
            if place.kind == Kind::Direct {
                assert_eq!(speakers(&lines).len(), 2, "{}", place.name);
            }
        }
        let names: HashSet<_> = PEOPLE.iter().map(|(name, _)| name.split(' ').next()).collect();
        assert_eq!(names.len(), PEOPLE.len(), "a first name is enough");
    }

    #[test]
    fn every_message_is_known_again_by_its_id() {
        for place in &PLACES {
            let ids = |now| {
                read(place.script, &people(), now).iter().map(Line::client_id).collect::<Vec<_>>()
            };
            let (today, later) =
                (ids(date("2026-03-05T12:00:00Z")), ids(date("2027-01-01T00:00:00Z")));
            assert_eq!(today, later);
            assert!(today.iter().all(|id| IdempotencyKey::parse(Some(id)).is_ok()));
            assert_eq!(today.iter().collect::<HashSet<_>>().len(), today.len(), "{}", place.name);
        }
        // The published values of FNV-1a: another number for the same text would say everything
        // twice.
        assert_eq!((number(""), number("foobar")), (0xcbf2_9ce4_8422_2325, 0x8594_4171_f739_67e8));
    }
}
