//! Tests of the social network, through the site and the communicator, on real databases.

mod support;

mod adding;
mod paging;
mod editing;
mod owners;
mod bad_input;
mod busy;
mod pages;
mod plain_client;
mod seeded;
