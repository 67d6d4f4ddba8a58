//! Browser tests, one story for each use of the site.

mod home;
mod accounts;
mod messaging;
mod sidebar;
mod people;
mod typing;
mod reading;
mod writing;
mod signed_out;
mod restarts;
mod no_sockets;
mod without_javascript;
mod pages;
mod plain_htmx;
mod playground;
mod reconnect;
mod ordering;
mod privacy;
mod accessible;
mod blog;
mod social;
mod auction;
mod owners;
mod contract;
