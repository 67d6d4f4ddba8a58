#![doc = include_str!("../README.md")]
#![deny(missing_docs)]

mod site;
mod actions;
mod database;
mod home;
mod template;
mod postgres;
mod people;
mod password;
mod browser;
mod window;
mod log;
pub mod markup;
mod waiting;

pub use actions::{check_actions, unknown_actions};
pub use browser::{Answer, Client};
pub use database::TestDatabase;
pub use log::Log;
pub use macro_rules_attribute::apply;
pub use password::PASSWORD;
pub use site::TestSite;
pub use waiting::{PATIENCE, within};
pub use window::{Ending, Window};
