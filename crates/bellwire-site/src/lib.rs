#![doc = include_str!("../README.md")]
#![deny(missing_docs)]

// In the order in which a request passes through them.
mod builder;
mod cli;
mod command;
mod settings;
mod site;
mod background;
mod log;
mod app;
mod check;
pub mod seed;

pub use app::App;
pub use bellwire;
pub use bellwire::{Answer, ClientAddress, Live, shutdown_signal};
pub use bellwire_auth as accounts;
pub use bellwire_auth::{
    Accounts, MaybeUser, OperatorError, Person, Session, SignUp, SiteAccounts, User,
};
pub use bellwire_db::{
    Clock, DatabaseUrl, Db, DbError, FeedEpochs, LookupExt, Migrations, Reader, Tx,
};
pub use bellwire_markup as markup;
pub use bellwire_web::{
    About, AccountLinks, Budget, Field, NavItem, NavLink, Page, Paging, PublicUrl, Rendered, Shell,
    ShellPage, SiteError, SiteState, TooOften, Viewer,
};
pub use builder::{Builder, GivenSettings};
pub use check::{Finding, check};
pub use command::{Command, CommandResult};
pub use log::start as start_log;
pub use settings::{Settings, SettingsError, SiteSettings};
pub use site::{Site, StartError};
