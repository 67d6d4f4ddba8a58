//! Parsing of environment variables: turns pairs of name and value into clap arguments.

use std::error::Error;

use bellwire_db::without_password;
use clap::builder::Resettable;
use clap::error::{ContextKind, ContextValue};
use clap::{Command, FromArgMatches};

use super::error::SettingsError;

/// The prefix of the test tools' variables, which the environment of a server under test also
/// contains.
const TEST_PREFIX: &str = "BELLWIRE_TEST_";

/// A variable, and the argument that receives its value.
struct Variable {
    name: String,
    /// The long option, without the dashes.
    long: String,
    /// The argument as clap's errors name it: `--bind <BIND>`.
    shown: String,
}

/// The variables of a command.
pub(super) struct Variables {
    /// The arguments without their `env`: values come from the pairs, not from the process
    /// environment.
    command: Command,
    all: Vec<Variable>,
}

impl Variables {
    /// The variables named by the `env` of the arguments of `command`.
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

    /// Parses these pairs. An empty value counts as unset; the last of two values wins.
    pub(super) fn parse<G: FromArgMatches>(
        self,
        pairs: impl Iterator<Item = (String, String)>,
    ) -> Result<G, SettingsError> {
        let mut arguments = Vec::new();
        for (name, value) in pairs {
            match self.all.iter().find(|variable| variable.name == name) {
                Some(_) if value.trim().is_empty() => {}
                Some(variable) => arguments.push(format!("--{}={}", variable.long, value.trim())),
                None if name.starts_with("BELLWIRE_") && !name.starts_with(TEST_PREFIX) => {
                    return Err(self.unknown(name, value.trim()));
                }
                None => {}
            }
        }
        let matches = self.command.clone().try_get_matches_from(arguments);
        matches
            .and_then(|matches| G::from_arg_matches(&matches))
            .map_err(|error| self.invalid(&error))
    }

    /// The error for an unknown name, which is probably a typing mistake.
    fn unknown(&self, name: String, value: &str) -> SettingsError {
        let names = self.all.iter().map(|variable| variable.name.as_str());
        let ours: Vec<_> = names.filter(|name| name.starts_with("BELLWIRE_")).collect();
        let expected = format!("a setting that exists: {}", ours.join(", "));
        SettingsError { name, value: without_password(value), expected }
    }

    fn invalid(&self, error: &clap::Error) -> SettingsError {
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

/// The error text of the value parser, or the list of possible values.
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
