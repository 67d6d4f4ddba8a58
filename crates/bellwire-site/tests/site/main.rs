//! Tests of a whole site: a real server on a free port, with SQLite and PostgreSQL. Run by
//! `bin/test`.

mod settings;
mod notes;
mod events;
mod faults;
mod accounts;
mod sessions;
mod devices;
mod staff;
mod access;
mod limits;
mod forgery;
mod pages;
mod owners;
mod live;
mod anonymous;
mod former_sessions;
mod login_tokens;
mod stop;
mod header_bytes;
mod hostile;
