//! Parser of scripts: the author, text and time of each message.

use bellwire_site::Person;
use chrono::{DateTime, NaiveTime, TimeDelta, Utc};

use super::CLIENT_ID_PREFIX;

/// A message of a script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) author: Person,
    pub(super) text: String,
    pub(super) edited: Option<String>,
    pub(super) at: DateTime<Utc>,
    /// How many earlier messages of the author have the same text.
    repeats: usize,
}

impl Line {
    /// Returns the idempotency key, which does not depend on the time, the site, or the other lines
    /// of the script.
    pub(super) fn client_id(&self) -> String {
        let Self { author, text, repeats, .. } = self;
        let email = author.email.as_deref().unwrap_or_default();
        format!("{CLIENT_ID_PREFIX}{:016x}", fnv1a(&format!("{email} {repeats} {text}")))
    }
}

/// Parses a script into its messages, the oldest first, none later than `now`.
pub(super) fn read(script: &str, people: &[Person], now: DateTime<Utc>) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    let mut at = None;
    for written in script.lines() {
        if let Some(begins) = parse_scene(written, now) {
            at = Some(begins);
        } else if let (Some(begins), Some((author, text))) = (at, parse_message(written, people)) {
            lines.push(Line { author, text, edited: None, at: begins, repeats: 0 });
            at = Some(begins + pause(written));
        } else if let Some(line) = lines.last_mut() {
            match written.strip_prefix("~ ") {
                Some(edited) => line.edited = Some(edited.to_owned()),
                None => line.text = format!("{}\n{written}", line.text),
            }
        }
    }
    finish(&mut lines, now);
    lines
}

/// Removes trailing whitespace, counts repeats, and makes the times ascend.
fn finish(lines: &mut [Line], now: DateTime<Utc>) {
    let mut latest = DateTime::<Utc>::MIN_UTC;
    for index in 0..lines.len() {
        let (before, rest) = lines.split_at_mut(index);
        let Some(line) = rest.first_mut() else { return };
        line.text.truncate(line.text.trim_end().len());
        line.repeats = before
            .iter()
            .filter(|other| other.author.id == line.author.id && other.text == line.text)
            .count();
        latest = line.at.max(latest).min(now);
        line.at = latest;
    }
}

/// Returns the ids of the authors, in the order of their first messages.
pub(super) fn speakers(lines: &[Line]) -> Vec<i64> {
    let mut speakers = Vec::new();
    for line in lines {
        if !speakers.contains(&line.author.id) {
            speakers.push(line.author.id);
        }
    }
    speakers
}

/// Parses `Name: text`, where the name is a part of a person's name.
fn parse_message(written: &str, people: &[Person]) -> Option<(Person, String)> {
    let (name, text) = written.split_once(": ")?;
    let author = people.iter().find(|person| matches_name(person, name))?;
    Some((author.clone(), text.to_owned()))
}

/// Returns whether the name is the person's first name, or the end of one that is not ASCII.
fn matches_name(person: &Person, name: &str) -> bool {
    let first = person.name.split(' ').next().unwrap_or_default();
    !name.is_empty() && (first == name || (first.ends_with(name) && !name.is_ascii()))
}

/// Parses `[3 days ago 16:50]` or `[12 minutes ago]`.
fn parse_scene(written: &str, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
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

/// Returns the time until the next message: reading and typing, and sometimes a break.
fn pause(written: &str) -> TimeDelta {
    let (number, length) = (fnv1a(written), written.chars().count().min(240));
    let break_time = if number.is_multiple_of(9) { 240 } else { 0 };
    TimeDelta::seconds(
        15 + i64::try_from(number % 70 + length as u64 / 2 + break_time).unwrap_or_default(),
    )
}

/// Returns the FNV-1a hash of a text, which serves as a reproducible random number.
pub(super) fn fnv1a(text: &str) -> u64 {
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
    use crate::seed::ROOMS;

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
    fn a_script_is_parsed_line_by_line() {
        let script = "# A comment.\n\n[2 days ago 08:30]\nAmara: See:\n\n```\nJonas = 1\n```\n\
                      雨桐: Helo\n~ Hello\n\n[9 minutes ago]\nAmara: See:\n";
        let now = date("2026-03-05T12:00:00Z");
        let lines = read(script, &people(), now);
        let parsed: Vec<_> = lines
            .iter()
            .map(|line| (&*line.author.name, &*line.text, line.edited.as_deref()))
            .collect();
        assert_eq!(
            parsed,
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
    fn times_ascend_and_are_never_in_the_future_at_any_hour() {
        for now in
            ["2026-03-05T00:00:30Z", "2026-03-05T12:00:00Z", "2026-03-29T23:59:59Z"].map(date)
        {
            for seed in &ROOMS {
                let lines = read(seed.script, &people(), now);
                assert!(lines.is_sorted_by_key(|line| line.at), "{}", seed.name);
                assert!(
                    lines.iter().all(|line| line.at <= now && line.at > now - TimeDelta::days(22))
                );
                assert!(now - lines.last().unwrap().at < TimeDelta::hours(2), "{}", seed.name);
            }
        }
    }

    #[test]
    fn every_author_in_the_scripts_is_a_seeded_person_and_every_line_is_a_message() {
        let people = people();
        for seed in &ROOMS {
            let lines = read(seed.script, &people, Utc::now());
            for line in &lines {
                for text in [Some(&line.text), line.edited.as_ref()].into_iter().flatten() {
                    assert_eq!(MessageText::parse(text).unwrap().as_str(), text);
                    // A line that looks like a message or a scene, but was parsed as text.
                    let prose =
                        text.split("```").step_by(2).flat_map(|prose| prose.lines().skip(1));
                    let unparsed = |line: &&str| {
                        line.starts_with('[')
                            || line.split_once(": ").is_some_and(|(name, _)| !name.contains(' '))
                    };
                    assert_eq!(
                        prose.filter(unparsed).collect::<Vec<_>>(),
                        [""; 0],
                        "{}",
                        seed.name
                    );
                }
            }
            if seed.kind == Kind::Direct {
                assert_eq!(speakers(&lines).len(), 2, "{}", seed.name);
            }
        }
        let names: HashSet<_> = PEOPLE.iter().map(|(name, _)| name.split(' ').next()).collect();
        assert_eq!(names.len(), PEOPLE.len(), "first names are unique");
    }

    #[test]
    fn every_message_has_a_unique_and_reproducible_idempotency_key() {
        for seed in &ROOMS {
            let ids = |now| {
                read(seed.script, &people(), now).iter().map(Line::client_id).collect::<Vec<_>>()
            };
            let (today, later) =
                (ids(date("2026-03-05T12:00:00Z")), ids(date("2027-01-01T00:00:00Z")));
            assert_eq!(today, later);
            assert!(today.iter().all(|id| IdempotencyKey::parse(Some(id)).is_ok()));
            assert_eq!(today.iter().collect::<HashSet<_>>().len(), today.len(), "{}", seed.name);
        }
        // The published values of FNV-1a: a different hash of the same text would write all
        // messages a second time.
        assert_eq!((fnv1a(""), fnv1a("foobar")), (0xcbf2_9ce4_8422_2325, 0x8594_4171_f739_67e8));
    }
}
