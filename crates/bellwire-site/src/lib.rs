//! What every Bellwire site needs around its apps: settings, database, sessions and accounts, pages, static files.
//!
//! ```no_run
//! use bellwire_site::{Settings, Site};
//!
//! # async fn start() -> Result<(), Box<dyn std::error::Error>> {
//! let site = Site::open(Settings::from_environment()?, vec![]).await?;
//! println!("Open {}", site.state().public_url().as_str());
//! site.run_until(bellwire_site::shutdown_signal()).await;
//! # Ok(()) }
//! ```

#![deny(missing_docs)]

// From the outside in, as a request travels.
mod settings;
mod site;
mod log;
mod headers;
mod upgrade;
mod forgery;
mod app;
mod state;
pub mod accounts;
mod visits;
mod home;
mod robots;
mod page;
mod field;
mod paging;
mod errors;
mod assets;
mod limits;
mod rate;
mod fault;
mod check;
pub mod seed;

pub use accounts::{Accounts, MaybeUser, OperatorError, Person, User};
pub use app::{App, Card};
pub use bellwire::{ClientAddress, shutdown_signal};
pub use bellwire_db::{Clock, DatabaseUrl, Db, DbError, Migrations, Reader, Sought, Tx};
pub use bellwire_markup as markup;
pub use check::{Finding, check};
pub use errors::SiteError;
pub use fault::Fault;
pub use field::Field;
pub use log::start as start_log;
pub use page::Page;
pub use paging::Paging;
pub use rate::{Budget, TooOften};
pub use settings::{PublicUrl, Settings, SettingsError, SignUp};
pub use site::{Site, StartError};
pub use state::SiteState;
pub use upgrade::Upgrade;
pub use visits::Visit;
