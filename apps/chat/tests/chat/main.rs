//! The chat's promises, through the site and the communicator, on real databases.
