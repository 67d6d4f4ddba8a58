//! The password of everybody in tests.

/// The password of everybody in tests.
pub const PASSWORD: &str = "a bell for every test";

/// [`PASSWORD`], hashed at the least cost that Argon2 allows, so that signing in takes
/// microseconds.
pub(crate) const PASSWORD_HASH: &str =
    "$argon2id$v=19$m=8,t=1,p=1$YSBzYWx0IGZvciB0ZXN0cw$O7IjEj20+TW4VbD/7HK3wp5CEjSBAtbLmzxgHw7NmbQ";
