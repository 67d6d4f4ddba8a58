#![doc = include_str!("../README.md")]
#![deny(missing_docs)]

// Modules in the order in which a request passes them.
pub mod settings;
pub mod layers;
mod accept;
mod headers;
mod page;
mod shell;
mod forgery;
mod public_url;
mod state;
mod viewer;
mod nav_item;
mod assets;
mod index;
mod robots;
pub mod next;
mod field;
mod paging;
mod body;
mod rate;
mod rate_limiter;
mod too_often;
mod errors;
pub mod wait;

pub use bellwire;
pub use bellwire_db as db;
pub use bellwire_markup as markup;

pub use accept::wants_html;
pub use assets::{Assets, Embedded};
pub use errors::SiteError;
pub use field::Field;
pub use headers::ContentSecurityPolicy;
pub use nav_item::NavItem;
pub use page::Page;
pub use paging::Paging;
pub use public_url::PublicUrl;
pub use rate::Budget;
pub use rate_limiter::SharedRateLimiter;
pub use settings::WebArgs;
pub use shell::{About, AccountLinks, DefaultShell, NavLink, Rendered, Shell, ShellPage};
pub use state::{SiteParts, SiteState};
pub use too_often::TooOften;
pub use viewer::Viewer;
