//! The variables by their names: pairs of name and value become arguments of clap.

use std::error::Error;

use bellwire_db::without_password;
use clap::builder::Resettable;
use clap::error::{ContextKind, ContextValue};
use clap::{Command, FromArgMatches};

use super::error::SettingsError;

/// Variables of the test tools, which pass through the environment of a server under test.
const OF_THE_TESTS: &str = "BELLWIRE_TEST_";

/// A variable, and the argument that takes its value.
struct Variable {
    name: String,
    /// Without the dashes.
    long: String,
    /// As clap's errors name it: `--bind <BIND>`.
    shown: String,
}

/// The variables of a command.
pub(super) struct Variables {
    /// The arguments alone: their values come from the pairs, and not from the process environment.
    command: Command,
    all: Vec<Variable>,
}

impl Variables {
    /// The variables that the arguments of `command` name as their `env`.
    pub(super) fn of(command: Command) -> Self {
        let mut built = command.clone();
        built.build();
        let all = built.get_arguments().filter_map(|argument| {
            let name = argument.get_env()?.to_str()?.to_owned();
            Some(Variable {
                name,
                long: argument.get_long()?.to_owned(),
                shown: argument.to_string(),
            })
        });
        let all = all.collect();
        Self { command: command.mut_args(|argument| argument.env(Resettable::Reset)), all }
    }

    /// The values of these pairs. An empty value counts as not set; of two, the last one counts.
    pub(super) fn parse<G: FromArgMatches>(
        self,
        pairs: impl Iterator<Item = (String, String)>,
    ) -> Result<G, SettingsError> {
        let mut arguments = Vec::new();
        for (name, value) in pairs {
            match self.all.iter().find(|variable| variable.name == name) {
                Some(_) if value.trim().is_empty() => {}
                Some(variable) => arguments.push(format!("--{}={}", variable.long, value.trim())),
                None if name.starts_with("BELLWIRE_") && !name.starts_with(OF_THE_TESTS) => {
                    return Err(self.unknown(name, value.trim()));
                }
                None => {}
            }
        }
        let matches = self.command.clone().try_get_matches_from(arguments);
        matches
            .and_then(|matches| G::from_arg_matches(&matches))
            .map_err(|error| self.wrong(&error))
    }

    /// A name that no group has is taken for a mistyped one.
    fn unknown(&self, name: String, value: &str) -> SettingsError {
        let names = self.all.iter().map(|variable| variable.name.as_str());
        let ours: Vec<_> = names.filter(|name| name.starts_with("BELLWIRE_")).collect();
        let expected = format!("a setting that exists: {}", ours.join(", "));
        SettingsError { name, value: without_password(value), expected }
    }

    fn wrong(&self, error: &clap::Error) -> SettingsError {
        let shown = text(error, ContextKind::InvalidArg);
        let variable = self.all.iter().find(|variable| variable.shown == shown);
        let name = variable.map_or(shown, |variable| &variable.name).to_owned();
        let value = without_password(text(error, ContextKind::InvalidValue));
        SettingsError { name, value, expected: expected(error) }
    }
}

fn text(error: &clap::Error, kind: ContextKind) -> &str {
    match error.get(kind) {
        Some(ContextValue::String(text)) => text,
        _ => "",
    }
}

/// The sentence of the parser that refused a value, or the values of which it is none.
fn expected(error: &clap::Error) -> String {
    match (error.source(), error.get(ContextKind::ValidValue)) {
        (Some(source), _) => source.to_string(),
        (None, Some(ContextValue::Strings(values))) => one_of(values),
        (None, _) => error.to_string(),
    }
}

/// `open, invite or closed`.
fn one_of(values: &[String]) -> String {
    match values {
        [first @ .., before, last] => {
            first.iter().map(|value| format!("{value}, ")).collect::<String>()
                + before
                + " or "
                + last
        }
        _ => values.concat(),
    }
}
