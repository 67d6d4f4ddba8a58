//! All groups of variables as one clap command.

use bellwire_auth::AuthArgs;
use bellwire_db::DatabaseArgs;
use bellwire_web::WebArgs;
use clap::Parser;

use super::limits::LimitArgs;
use super::serving::ServeArgs;

/// The variables of every crate.
#[derive(Debug, Clone, Parser)]
#[command(no_binary_name = true, disable_help_flag = true, args_override_self = true)]
pub(super) struct Groups {
    #[command(flatten)]
    pub(super) serving: ServeArgs,
    #[command(flatten)]
    pub(super) limits: LimitArgs,
    #[command(flatten)]
    pub(super) database: DatabaseArgs,
    #[command(flatten)]
    pub(super) web: WebArgs,
    #[command(flatten)]
    pub(super) accounts: AuthArgs,
}

#[cfg(test)]
mod tests {
    use clap::{Args, Command, CommandFactory};

    use super::*;

    fn group<G: Args>() -> Command {
        G::augment_args(Command::new("group")).term_width(0)
    }

    #[test]
    fn the_help_of_each_group_names_its_variables_with_their_texts() {
        let groups = [
            group::<ServeArgs>(),
            group::<LimitArgs>(),
            group::<DatabaseArgs>(),
            group::<WebArgs>(),
            group::<AuthArgs>(),
        ];
        let mut variables = 0;
        for mut group in groups {
            let shown = group.render_help().to_string();
            for argument in group.get_arguments() {
                let (Some(name), Some(text)) = (argument.get_env(), argument.get_help()) else {
                    assert_eq!(argument.get_id(), "help", "a variable has a name and a text");
                    continue;
                };
                let line =
                    shown.lines().find(|line| line.contains(&text.to_string())).expect(&shown);
                assert!(line.contains(&format!("[env: {}", name.display())), "{line}");
                variables += 1;
            }
        }
        assert_eq!(variables, Groups::command().get_arguments().count());
    }

    #[test]
    fn an_argument_is_named_like_its_variable() {
        for argument in Groups::command().get_arguments() {
            let variable =
                argument.get_env().unwrap().to_str().unwrap().to_lowercase().replace('_', "-");
            let long = argument.get_long().unwrap();
            assert_eq!(variable.strip_prefix("bellwire-").unwrap_or(&variable), long);
        }
    }
}
