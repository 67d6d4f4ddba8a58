//! The password of all test accounts.

/// The password of all test accounts.
pub const PASSWORD: &str = "a bell for every test";

/// The hash of [`PASSWORD`] at the lowest cost that Argon2 permits, so that signing in takes
/// microseconds.
pub(crate) const PASSWORD_HASH: &str =
    "$argon2id$v=19$m=8,t=1,p=1$YSBzYWx0IGZvciB0ZXN0cw$O7IjEj20+TW4VbD/7HK3wp5CEjSBAtbLmzxgHw7NmbQ";
