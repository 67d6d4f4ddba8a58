//! What every Bellwire site needs around its apps: settings, database, sessions and accounts, pages, static files.
//!
//! ```no_run
//! use bellwire_site::{Settings, Site};
//!
//! fn main() -> std::process::ExitCode {
//!     Site::builder(Settings::from_environment()).name("Garden").run()
//! }
//! ```

#![deny(missing_docs)]

// From the outside in, as a request travels.
mod body;
mod builder;
mod cli;
mod command;
mod settings;
mod site;
mod background;
mod log;
mod headers;
mod public_url;
mod upgrade;
mod forgery;
mod app;
mod card;
mod state;
pub mod accounts;
mod viewer;
mod visits;
mod index;
mod robots;
mod page;
mod shell;
mod next;
mod field;
mod paging;
mod errors;
mod assets;
mod limits;
mod rate;
mod fault;
mod check;
pub mod seed;

pub use accounts::{Accounts, MaybeUser, OperatorError, Person, SiteAccounts, User};
pub use app::App;
pub use bellwire;
pub use bellwire::{ClientAddress, shutdown_signal};
pub use bellwire_db::{Clock, DatabaseUrl, Db, DbError, Migrations, Reader, Sought, Tx};
pub use bellwire_markup as markup;
pub use builder::{Builder, GivenSettings};
pub use card::Card;
pub use check::{Finding, check};
pub use command::{Command, CommandResult};
pub use errors::SiteError;
pub use fault::Fault;
pub use field::Field;
pub use log::start as start_log;
pub use page::Page;
pub use paging::Paging;
pub use public_url::PublicUrl;
pub use rate::{Budget, TooOften};
pub use settings::{Settings, SettingsError, SignUp, SiteSettings};
pub use shell::{About, NavLink, Rendered, Shell, ShellPage};
pub use site::{Site, StartError};
pub use state::SiteState;
pub use upgrade::Upgrade;
pub use viewer::Viewer;
pub use visits::Visit;
