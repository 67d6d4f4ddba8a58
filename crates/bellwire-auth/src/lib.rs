#![doc = include_str!("../README.md")]
#![deny(missing_docs)]

// In the order in which a request passes through them.
mod settings;
mod views;
mod account;
mod staff;
mod over_socket;
mod remember;
mod session_check;
mod user;
mod user_rejection;
mod forms;
mod form_pages;
mod browser;
mod sign_in;
mod sign_up;
mod new_password;
mod operator;
mod seeded;
mod accounts;
mod session;
mod login_tokens;
mod password;
mod strength;
mod name;
pub mod users;
mod migrations;

pub use accounts::{Accounts, SiteAccounts};
pub use browser::Browser;
pub use forms::{SignInForm, SignUpForm};
pub use migrations::Migrator;
pub use name::name_key;
pub use operator::{OperatorError, Person};
pub use over_socket::{LoginToken, LoginTokenError, RefusedForm};
pub use remember::remember;
pub use seeded::SeedError;
pub use session::{Session, Watch};
pub use settings::{AuthArgs, SignUp};
pub use user::{MaybeUser, User, person_key, person_of};
pub use user_rejection::UserRejection;
pub use views::routes;

use accounts::{Inner, LoginTarget};
use bellwire_web::{Field, Page, SiteError, SiteState, Viewer, next};
