//! docs/browser.md line by line, as far as it needs a browser, on an app that each story serves
//! itself. tests/structure/browser.txt names the test of each line.

mod app;
mod page;
mod connection;
mod frames;
mod sending;
mod actions;
mod swaps;
mod by_http;
mod people;
